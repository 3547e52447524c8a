import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct PublicPictureTests {
    @Test(arguments: ["kitchen.jpg", "A plan (2026).PNG", "küche.webp", "logo.svg"])
    func `a picture is known by the end of its name`(_ name: String) throws {
        #expect(try #require(PublicPicture(name: name)).name == name)
    }

    @Test(arguments: [
        "plan.pdf", "config.yaml", "crm.sqlite", ".hidden.png", "../x.png", "a/b.png", "a\\b.png", "a\u{0}.png", "png",
        "",
    ])
    func `nothing else is given out`(_ name: String) { #expect(PublicPicture(name: name) == nil) }

    @Test func `a page names it by its address`() throws {
        #expect(try #require(PublicPicture(source: "/public/k%C3%BCche.jpg")).name == "küche.jpg")
        for source in [
            "/other/a.png", "https://acme.example/public/a.png", "/public/%2e%2e%2fa.png", "/public/plan.pdf",
        ] {
            #expect(PublicPicture(source: source) == nil, "\(source)")
        }
    }

    @Test func `it lies in the folder that the config names`() throws {
        let crm = try TestKernel("server: {public: pictures}")
        let picture = try #require(PublicPicture(name: "a.png"))
        #expect(picture.path(in: crm.kernel.config) == crm.kernel.config.path("pictures/a.png"))
    }
}
