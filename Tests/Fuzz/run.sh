#!/usr/bin/env bash
# Fuzzes the reader of received mail with libFuzzer, beginning with Tests/MailCorpus. SECONDS_MAX says how long, 60 without it.
# What it finds stands in .build/fuzz/ and is run again with: .build/fuzz/received_mail FILE
set -euo pipefail
cd "$(dirname "$0")/../.."
out=.build/fuzz
mkdir -p "$out/found"
kernel=Sources/TrellisKernel
swiftc -O -swift-version 6 -module-name ReceivedMailFuzz -parse-as-library -sanitize=fuzzer,address \
    "$kernel"/Returns/{ReceivedMail,MailHeaders,MailDecoding,StatusCode,DeliveryReport,FeedbackReport,PlainReport,AutomaticReply,ReturnVerdict}.swift \
    "$kernel"/Outbox/{MailEncoding,MailMessage,MailAddress,StableHash}.swift \
    "$kernel"/Web/HeaderValue.swift "$kernel"/Capture/TextEncoding.swift \
    Tests/Fuzz/received_mail.swift -o "$out/received_mail"
"$out/received_mail" "$out/found" Tests/MailCorpus -artifact_prefix="$out/" -max_len=20000 -timeout=5 -rss_limit_mb=1024 \
    -max_total_time="${SECONDS_MAX:-60}" -print_final_stats=1
