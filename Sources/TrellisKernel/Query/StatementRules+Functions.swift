extension StatementRules {
    /// The functions whose cost and whose result stay near the size of what they are given. Not among them are those
    /// that make much of little in one call, which no time limit can stop (`randomblob`, `zeroblob`), those that reach
    /// outside (`load_extension`, and what the shell of SQLite adds), and those that look inside (`sqlite_offset`,
    /// `fts3_tokenizer`, `sqlite_compileoption_get`).
    ///
    /// `format` and `printf`, which views need for their sentences, are bounded by the length of a value alone: whoever
    /// allows these functions sets `SQLITE_LIMIT_LENGTH`, beyond which they give NULL.
    public static let harmlessFunctions: Set<String> = [
        // https://www.sqlite.org/lang_corefunc.html
        "->", "->>", "abs", "changes", "char", "coalesce", "format", "glob", "hex", "ifnull", "iif", "instr",
        "last_insert_rowid",
        "length", "like", "likelihood", "likely", "lower", "ltrim", "max", "min", "nullif", "quote", "random",
        "replace",
        "round", "rtrim", "sign", "soundex", "sqlite_version", "substr", "substring", "total_changes", "trim", "typeof",
        "unicode", "unlikely", "upper", "concat", "concat_ws", "octet_length", "printf", "unhex", "if", "match",
        "regexp",
        "unistr",
        // https://www.sqlite.org/lang_aggfunc.html
        "avg", "count", "group_concat", "string_agg", "sum", "total", "median", "percentile", "percentile_cont",
        "percentile_disc",
        // https://www.sqlite.org/windowfunctions.html
        "cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "nth_value", "ntile", "percent_rank",
        "rank", "row_number",
        // https://www.sqlite.org/lang_datefunc.html
        "current_date", "current_time", "current_timestamp", "date", "datetime", "julianday", "strftime", "time",
        "timediff", "unixepoch",
        // https://www.sqlite.org/lang_mathfunc.html
        "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh", "degrees", "exp",
        "floor", "ln", "log", "log10", "log2", "mod", "pi", "pow", "power", "radians", "sin", "sinh", "sqrt", "tan",
        "tanh", "trunc",
        // https://www.sqlite.org/json1.html
        "json", "json_array", "json_array_length", "json_error_position", "json_extract", "json_group_array",
        "json_group_object", "json_insert", "json_object", "json_patch", "json_pretty", "json_quote", "json_remove",
        "json_replace", "json_set", "json_type", "json_valid",
    ]
    /// What whoever holds the file reads it with: those that make much of little as well, which a limit of memory and a
    /// process that may end hold, and those that tell of SQLite or belong to a kind of table. Not among them are those
    /// that reach outside (`load_extension`, and what the shell of SQLite adds: `readfile`, `writefile`, `edit`), that
    /// give away or take addresses in memory (`fts3_tokenizer`, `fts5`), or that change something (`optimize`,
    /// `sqlite_log`).
    public static let readingFunctions = harmlessFunctions.union([
        "randomblob", "zeroblob", "sqlite_compileoption_get", "sqlite_compileoption_used", "sqlite_offset",
        "sqlite_source_id", "subtype",
        // https://www.sqlite.org/fts5.html, https://www.sqlite.org/fts3.html
        "bm25", "fts5_source_id", "highlight", "matchinfo", "offsets", "snippet",
        // https://www.sqlite.org/rtree.html
        "rtreecheck", "rtreedepth", "rtreenode",
        // https://www.sqlite.org/json1.html
        "jsonb", "jsonb_array", "jsonb_array_insert", "jsonb_extract", "jsonb_group_array", "jsonb_group_object",
        "jsonb_insert", "jsonb_object", "jsonb_patch", "jsonb_remove", "jsonb_replace", "jsonb_set",
        "json_array_insert",
        // https://www.sqlite.org/lang_corefunc.html
        "unistr_quote",
    ])
}
