#include "CTrellisResolver.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

// A length, or what h_errno says: HOST_NOT_FOUND and NO_DATA are answers, the others are none.
static int ask(struct __res_state *state, const char *domain, int type, unsigned char *answer, int size) {
    return res_nquery(state, domain, ns_c_in, type, answer, size);
}

// 1: some record accepts mail. 0: the only one is ".", which says that none is accepted.
static int reads_as_mail(unsigned char *answer, int length) {
    ns_msg message;
    if (ns_initparse(answer, length, &message) < 0) return -1;
    int count = ns_msg_count(message, ns_s_an);
    for (int index = 0; index < count; index++) {
        ns_rr record;
        char name[NS_MAXDNAME];
        if (ns_parserr(&message, ns_s_an, index, &record) < 0) return -1;
        if (ns_rr_type(record) != ns_t_mx || ns_rr_rdlen(record) < 3) continue;
        if (dn_expand(ns_msg_base(message), ns_msg_end(message), ns_rr_rdata(record) + 2, name, sizeof name) < 0) return -1;
        if (strcmp(name, "") != 0 && strcmp(name, ".") != 0) return 1;
    }
    return 0;
}

int trellis_takes_mail(const char *domain) {
    struct __res_state state;
    unsigned char answer[NS_PACKETSZ * 8];
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return -1;
    state.retrans = 2;
    state.retry = 2;
    int verdict = -1;
    int length = ask(&state, domain, ns_t_mx, answer, sizeof answer);
    if (length > 0) {
        verdict = reads_as_mail(answer, length < (int)sizeof answer ? length : (int)sizeof answer);
    } else if (state.res_h_errno == HOST_NOT_FOUND) {
        verdict = 0;
    } else if (state.res_h_errno == NO_DATA) {
        int has_address = ask(&state, domain, ns_t_a, answer, sizeof answer) > 0;
        int could_say = has_address || state.res_h_errno == NO_DATA;
        if (!has_address) {
            has_address = ask(&state, domain, ns_t_aaaa, answer, sizeof answer) > 0;
            could_say = could_say && (has_address || state.res_h_errno == NO_DATA);
        }
        verdict = has_address ? 1 : could_say ? 0 : -1;
    }
    res_nclose(&state);
    return verdict;
}

int trellis_texts(const char *name, char *texts, int size) {
    struct __res_state state;
    unsigned char answer[NS_MAXMSG];
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return -1;
    state.retrans = 2;
    state.retry = 2;
    int length = ask(&state, name, ns_t_txt, answer, sizeof answer);
    int is_answer = length > 0 || state.res_h_errno == HOST_NOT_FOUND || state.res_h_errno == NO_DATA;
    res_nclose(&state);
    if (length <= 0) return is_answer ? 0 : -1;
    ns_msg message;
    if (ns_initparse(answer, length < (int)sizeof answer ? length : (int)sizeof answer, &message) < 0) return -1;
    int written = 0;
    int count = ns_msg_count(message, ns_s_an);
    for (int index = 0; index < count; index++) {
        ns_rr record;
        if (ns_parserr(&message, ns_s_an, index, &record) < 0) return -1;
        if (ns_rr_type(record) != ns_t_txt) continue;
        const unsigned char *data = ns_rr_rdata(record);
        int rest = ns_rr_rdlen(record);
        // A string is its length and so many bytes, so that what is joined is never longer than the data.
        if (written + rest + 1 > size) break;
        while (rest > 0) {
            int part = data[0] < rest ? data[0] : rest - 1;
            for (int byte = 0; byte < part; byte++) texts[written++] = data[1 + byte] == 0 ? ' ' : (char)data[1 + byte];
            data += part + 1;
            rest -= part + 1;
        }
        texts[written++] = 0;
    }
    return written;
}
