#ifndef CTRELLIS_RESOLVER_H
#define CTRELLIS_RESOLVER_H

/// Whether a domain takes mail, by its MX records, or its address records where it has none (RFC 5321 section 5.1).
/// 1: it does. 0: it does not: there is no such domain, it has neither, or it says so (RFC 7505). -1: nobody could say.
/// Blocks for some seconds at most.
int trellis_takes_mail(const char *domain);

#endif
