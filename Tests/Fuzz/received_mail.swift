/// Hands whatever libFuzzer makes up to the reader of received mail. It must neither stop nor take long, and what it
/// keeps of a mail must hold no address.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let verdict = ReturnVerdict(ReceivedMail(Array(UnsafeBufferPointer(start: data, count: count))))
    precondition(verdict.diagnostic?.contains("@") != true)
    return 0
}
