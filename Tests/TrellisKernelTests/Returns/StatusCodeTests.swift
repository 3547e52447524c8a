import Testing

@testable import TrellisKernel

@Suite struct StatusCodeTests {
    @Test(arguments: [
        ("5.1.1", "5.1.1"), ("5.1.1 (bad destination mailbox)", "5.1.1"),
        ("smtp; 550 5.7.515 Access denied", "5.7.515"),
        ("550-5.1.1 The account", "5.1.1"), ("(#5.1.2)", "5.1.2"), ("failed with 4.4.7.", "4.4.7"),
        ("host [5.1.1.7] said 550 5.2.2", "5.2.2"), ("version 1.5.1.1 then 4.2.0", "4.2.0"),
    ])
    func `a code is found in what a server says`(text: String, code: String) {
        #expect(StatusCode(in: text)?.description == code)
    }

    @Test(arguments: [
        "", "5", "5.", "5.1", "5.1.", "3.1.1", "550", "192.0.2.25", "5.1111.1", "5.1.1111", "5,1,1", "a.b.c",
    ])
    func `what is none is none`(text: String) {
        #expect(StatusCode(in: text) == nil)
    }

    @Test(arguments: [
        ("5.1.1", "", BounceClass.hard), ("5.1.2", "", .hard), ("5.1.10", "", .hard), ("5.2.1", "", .hard),
        ("5.4.4", "", .hard),
        ("5.2.2", "", .soft), ("4.2.2", "", .soft), ("4.4.7", "", .soft), ("5.4.6", "", .soft), ("5.3.0", "", .soft),
        ("5.7.1", "", .blocked), ("4.7.0", "", .blocked), ("5.1.8", "", .blocked), ("5.2.3", "", .blocked),
        ("5.6.0", "", .blocked),
        ("5.4.1", "smtp; 550 5.4.1 Recipient address rejected: Access denied.", .hard), ("5.4.1", "no answer", .soft),
        // The server's own code counts where the report has none of its own.
        ("5.0.0", "smtp; 550 5.1.1 unknown", .hard), ("5.0.0", "smtp; 552 5.2.2 full", .soft),
        ("5.0.0", "smtp; 554 5.7.1 spam", .blocked), ("5.5.0", "smtp; 550 mailbox unavailable", .hard),
        ("5.0.0", "smtp; 550 No such user", .hard), ("5.0.0", "smtp; 550 something else", .soft),
        ("4.0.0", "smtp; 450 no such user", .soft), ("", "550 User unknown", .hard), ("", "", .soft),
        ("5.0.0", "smtp; 550 Sender domain does not exist", .soft), ("5.0.0", "smtp; 550 user\tnot \n found", .hard),
        // A clear code is not overruled by words.
        ("5.2.2", "user unknown", .soft), ("5.7.1", "user unknown", .blocked),
    ])
    func `what a failure means for the address`(code: String, answer: String, expected: BounceClass) {
        #expect(BounceClass(status: StatusCode(in: code), answer: answer) == expected)
    }
}
