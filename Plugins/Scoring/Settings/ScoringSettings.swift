import TrellisKernel

/// `plugins.scoring`: the rules of the model `main`, and other models beside it.
public struct ScoringSettings: SettingsRecord {
    public var main = ScoringModel()
    public var models: [Named<ScoringModel>] = []
    public init() {}

    public static var fields: [SettingsField<Self>] {
        ScoringModel.fields.map { $0.of(\.main) }
        SettingsField(
            "models", \.models, .named("a mapping of models", of: .record()),
            "Other scores beside this one, by name: each with rules, thresholds and a ledger of its own.")
    }

    /// All models, `main` first.
    var all: [ScoringModel] {
        [main]
            + models.map { model in
                var named = model.value
                named.name = model.name
                return named
            }
    }

    /// - Throws: ``KernelError/usage(_:)`` where there is none of that name.
    func model(_ name: String?) throws -> ScoringModel {
        guard let name else { return main }
        guard let model = all.first(where: { $0.name == name }) else {
            let names = all.map(\.name)
            throw KernelError.usage(
                "There is no model '\(name)'.\(NearMiss.hint(name, among: names)) There are: \(names.joined(separator: ", "))."
            )
        }
        return model
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        let staged = main.thresholds.compactMap { threshold in
            threshold.value.stage.map {
                ConfigProblem(
                    "a threshold here is named after its stage, '\(threshold.name)': leave stage: to the thresholds of models.",
                    at: $0.place)
            }
        }
        return main.problems(at: place) + staged + models.flatMap(problems(of:))
    }

    private func problems(of model: Named<ScoringModel>) -> [ConfigProblem] {
        let onCreate = model.value.thresholds.filter(\.value.onCreate).map {
            ConfigProblem(
                "on_create moves a lead to a stage: it belongs to the thresholds of scoring itself.", at: $0.place)
        }
        return onCreate + nameProblems(model)
    }

    /// The name of a model is part of the id of what keeps its ledger.
    private func nameProblems(_ model: Named<ScoringModel>) -> [ConfigProblem] {
        if model.name == ScoringModel.main {
            return [
                ConfigProblem(
                    "'\(model.name)' is the model whose rules stand under scoring: itself. Take another name.",
                    at: model.place)
            ]
        }
        guard model.name.wholeMatch(of: /[a-z][a-z0-9_-]{0,39}/) == nil else { return [] }
        return [
            ConfigProblem(
                "a model is named by up to 40 small letters, digits, - and _, a letter first; this is '\(model.name)'.",
                at: model.place)
        ]
    }
}
