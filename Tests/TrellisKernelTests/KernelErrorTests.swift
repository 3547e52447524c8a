import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct KernelErrorTests {
    @Test func `a file that cannot be read is missing, a folder, or not permitted`() throws {
        let crm = try TestKernel(files: ["here.csv": "a"])
        let missing = KernelError.unreadable(crm.folder + "/nofile")
        #expect(
            missing.exitCode == 66 && missing.description == "There is no file \(crm.folder)/nofile. Check its name.")
        let folder = KernelError.unreadable(crm.folder)
        #expect(folder.exitCode == 64 && folder.description == "\(crm.folder) is a folder. Name a file.")
        let closed = KernelError.unreadable(crm.folder + "/here.csv")
        #expect(
            closed.exitCode == 77 && closed.description.hasSuffix("cannot be read. Change its owner or permissions."))
    }

    @Test func `a file that cannot be written lacks its folder, is one, or is not permitted`() throws {
        let crm = try TestKernel()
        let missing = KernelError.unwritable(crm.folder + "/nowhere/x.csv")
        #expect(missing.exitCode == 73)
        #expect(
            missing.description
                == "The folder \(crm.folder)/nowhere does not exist. Make it first, or name a file in another.")
        #expect(KernelError.unwritable(crm.folder).description == "\(crm.folder) is a folder. Name a file.")
        #expect(KernelError.unwritable(crm.folder + "/x.csv") == .cannotCreate(crm.folder + "/x.csv"))
        #expect(KernelError.unwritable("x.csv") == .cannotCreate("x.csv"))
    }

    @Test(arguments: [
        (
            KernelError.ListeningFault.taken, 75 as Int32,
            "Another process already listens on 127.0.0.1:8080. Stop it, or set another port in server.listen."
        ),
        (
            .notPermitted, 77,
            "Listening on 127.0.0.1:8080 is not permitted. Set a port from 1024 up in server.listen, and put a proxy in front of it."
        ),
        (
            .notOurs, 78,
            "127.0.0.1:8080 is no address of this machine. Set one in server.listen, such as 127.0.0.1:8080."
        ),
    ])
    func `an address that cannot be had is named, with its setting`(
        fault: KernelError.ListeningFault, code: Int32, sentence: String
    ) {
        let error = KernelError.cannotListen(address: "127.0.0.1:8080", setting: "server.listen", reason: fault)
        #expect(error.description == sentence && error.exitCode == code)
    }
}
