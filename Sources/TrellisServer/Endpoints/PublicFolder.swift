import Foundation
import TrellisKernel

/// `GET /public/NAME`: the pictures of the site, from the folder that `server.public` names.
enum PublicFolder {
    static let endpoint = Endpoint(.get, PublicPicture.prefix + ":name") { request in
        let config = request.kernel.config
        guard let picture = PublicPicture(name: request["name"]) else { throw WebProblem.notFound }
        let path = picture.path(in: config)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
            throw WebProblem.notFound
        }
        return WebReply(body: .file(WebFile(shown: path, name: picture.name, folder: config.folder)))
    }
}
