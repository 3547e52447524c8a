#!/usr/bin/env bash
# Fuzzes what reads and writes mail with libFuzzer, one target after the other: received_mail (from Tests/MailCorpus),
# mail_message (headers), mail_template (from the mails of Starter and Examples).
# Usage: Tests/Fuzz/run.sh [TARGET...]. SECONDS_MAX says how long each, 600 without it.
# What it finds stands in .build/fuzz/ and is run again with: .build/fuzz/TARGET FILE
set -euo pipefail
cd "$(dirname "$0")/../.."
out=.build/fuzz
kernel=Sources/TrellisKernel
mkdir -p "$out"

sources() {
    case $1 in
    received_mail)
        ls "$kernel"/Returns/{ReceivedMail,MailHeaders,MailDecoding,StatusCode,DeliveryReport,FeedbackReport,PlainReport,AutomaticReply,ReturnVerdict}.swift \
            "$kernel"/Mail/{MailEncoding,MailMessage,MailAddress,StableHash}.swift \
            "$kernel"/Web/HeaderValue.swift "$kernel"/Capture/TextEncoding.swift ;;
    mail_message) ls "$kernel"/Mail/{MailEncoding,MailMessage,MailAddress,StableHash}.swift ;;
    mail_template)
        ls "$kernel"/Mail/{MailTemplate,MailTemplate+FrontMatter,MailTemplate+Inlines,MailTemplate+Parsing,MailTemplate+Rendering,MailTemplate+Sender,MailTemplateProblem}.swift \
            "$kernel"/Mail/{MailMarkup,MarkupScanner,MailStyle,WebColor,MailEncoding,MailMessage,MailAddress,StableHash}.swift \
            "$kernel"/Settings/NearMiss.swift "$kernel"/Time/Span.swift "$kernel"/Web/WebText.swift ;;
    *) echo "There is no target '$1'. There are: received_mail, mail_message, mail_template." >&2; exit 64 ;;
    esac
}

seeds() {
    case $1 in
    received_mail) echo Tests/MailCorpus ;;
    mail_template)
        rm -rf "$out/templates" && mkdir "$out/templates"
        for file in Starter/mails/* Examples/*/mails/*; do
            [ -f "$file" ] && cp "$file" "$out/templates/$(echo "$file" | tr / -)"
        done
        echo "$out/templates" ;;
    esac
}

[ $# -gt 0 ] || set -- received_mail mail_message mail_template
for target in "$@"; do
    files=$(sources "$target")
    # shellcheck disable=SC2086
    swiftc -O -swift-version 6 -module-name Fuzz -parse-as-library -sanitize=fuzzer,address $files "Tests/Fuzz/$target.swift" \
        -o "$out/$target"
    mkdir -p "$out/found-$target"
    echo "$target, ${SECONDS_MAX:-600} seconds"
    # shellcheck disable=SC2046
    "$out/$target" "$out/found-$target" $(seeds "$target") -artifact_prefix="$out/$target-" -max_len=20000 -timeout=5 \
        -rss_limit_mb=1024 -max_total_time="${SECONDS_MAX:-600}" -print_final_stats=1 -verbosity=0
done
