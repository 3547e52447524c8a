import AudienceExport
import DripSequencer
import Figures
import Handoff
import LeadMagnets
import Scoring
import TrellisCommands

/// The program as it is shipped: the built-in plugins, in the order in which they are asked, and the commands.
@main
struct Main {
    static func main() async {
        await TrellisProgram.run(plugins: [
            LeadMagnets.self, DripSequencer.self, Scoring.self, AudienceExport.self, Handoff.self, Figures.self,
        ])
    }
}
