#ifndef CTRELLIS_RESOLVER_H
#define CTRELLIS_RESOLVER_H

/// Whether a domain takes mail, by its MX records, or its address records where it has none (RFC 5321 section 5.1).
/// 1: it does. 0: it does not: there is no such domain, it has neither, or it says so (RFC 7505). -1: nobody could say.
/// Blocks for some seconds at most.
int trellis_takes_mail(const char *domain);

/// The TXT records of a name, one after the other in `texts`, each ended by a NUL; the strings of a record are joined
/// without a space (RFC 7208 section 3.3). Returns the bytes written, 0 where there are none, -1 where nobody could say.
/// What has no room is left out. Blocks for some seconds at most.
int trellis_texts(const char *name, char *texts, int size);

#endif
