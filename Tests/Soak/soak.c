// The load of a busy JupyterHub on a proxy, and everything that goes wrong beside it.
//
//   soak PUBLIC_PORT API_PORT TOKEN PID SECONDS [USERS [SOCKETS [RATE]]]
//
// One thread and one epoll set play all three sides: the Hub, which adds, reads and deletes routes
// over ten connections; people's browsers, with requests and WebSockets; and a server for every
// user, each on a loopback address of its own. Every answer is checked: it must come from the server
// that the user's route names now, and belong to this very request. In between come the failures
// of ROGUES, each on a connection of its own. Prints one JSON object: what was done, what failed
// and how, latencies, and the proxy's memory and descriptors for every second.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    API_CONNECTIONS = 10,       // JupyterHub's `concurrency`
    PLAIN_CONNECTIONS = 200,
    CYCLES_A_SECOND = 50,       // users whose server stops and starts again elsewhere
    ROGUES_A_SECOND = 150,
    LISTING_EVERY = 5,          // seconds
    JAM = 3,                    // seconds whose load comes at once at the start
    BIG = 65536,                // bytes of a large answer
    MAX_USERS = 4000,
    PATIENCE = 20,              // seconds after which an answer counts as missing
};

// ---------------------------------------------------------------------------------- what happens

// The request's path goes on with this word and tells the server what to do.
enum deed { SMALL, LARGE, POSTED, SLOW, STREAM, DIE, FORBID, ECHO, ECHO_DIES };
static const char *const DEEDS[] = {
    "small", "large", "post", "slow", "stream", "die", "forbid", "echo", "echodies"};

enum where { A_USER, NOWHERE, DEAD, RESETTING };
enum { UPGRADE = 1, CUT_HEAD = 2, CUT_BODY = 4, HALF_CLOSE = 8 };
enum after { VANISH, CLOSED, USABLE };

// A failure: what the client sends and what it must get (0: nothing in particular). Then, within
// `hold` seconds, the proxy must close (CLOSED) or answer another request or close (USABLE); or the
// client vanishes after them.
static const struct rogue {
    const char *name;
    enum where where;
    enum deed deed;
    int flags, status;
    enum after after;
    double hold;
} ROGUES[] = {
    {"upgrade without a route", NOWHERE, ECHO, UPGRADE, 404, USABLE, 2},
    {"upgrade refused by the server", A_USER, FORBID, UPGRADE, 403, USABLE, 2},
    {"upgrade to a dead server", DEAD, ECHO, UPGRADE, 503, USABLE, 2},
    {"upgrade to a resetting server", RESETTING, ECHO, UPGRADE, 503, USABLE, 2},
    {"request without a route", NOWHERE, SMALL, 0, 404, VANISH, 0},
    {"request to a dead server", DEAD, SMALL, 0, 503, VANISH, 0},
    {"request to a resetting server", RESETTING, SMALL, 0, 503, VANISH, 0},
    {"server dies in mid-answer", A_USER, DIE, 0, 200, CLOSED, 2},
    {"server of a WebSocket dies", A_USER, ECHO_DIES, UPGRADE, 101, CLOSED, 10},
    {"client vanishes in the head", A_USER, SMALL, CUT_HEAD, 0, VANISH, 0.2},
    {"client vanishes in the body", A_USER, POSTED, CUT_BODY, 0, VANISH, 0.2},
    {"client vanishes before the answer", A_USER, SLOW, 0, 0, VANISH, 0.1},
    {"client vanishes in the answer", A_USER, STREAM, 0, 200, VANISH, 0.1},
    {"client vanishes in a WebSocket", A_USER, ECHO, UPGRADE, 101, VANISH, 0.1},
    {"client half-closes a WebSocket", A_USER, ECHO, UPGRADE | HALF_CLOSE, 101, VANISH, 3},
    {"client half-closes before the answer", A_USER, SLOW, HALF_CLOSE, 0, VANISH, 3},
    {"client says nothing", NOWHERE, SMALL, CUT_HEAD | CUT_BODY, 0, VANISH, 3},
};
enum { ROGUE_KINDS = sizeof ROGUES / sizeof *ROGUES };

// ------------------------------------------------------------------------------------- the world

struct bytes { char *data; size_t count, room; };

enum role { LISTENER, SERVER, PLAIN, API, TUNNEL, ROGUE };

struct connection {
    enum role role;
    int fd, index;              // index: in `all`
    struct bytes in, out;
    bool connecting, writing, closing, ended, upgraded, busy;
    int slot, user, kind, status;
    unsigned serial, sent;
    enum deed deed;
    double due, began;          // when the timer calls; when what goes on was wanted
    struct connection *next;    // in the list of the idle, or of those to be freed
};

// A user has a route, or is between two of them; `slot` is the server that the route names.
enum phase { ABSENT, PRESENT, LEAVING, DELETING, GONE, ADDING, NEW };
static struct user { enum phase phase; int slot, running; } users[MAX_USERS];

struct job { int user, status; enum deed deed; double wanted; };
struct call { int user; char method; int status; double wanted; };  // user -1: the listing
static struct job jobs[1 << 16];
static struct call calls[1 << 14];
static unsigned jobs_first, jobs_end, calls_first, calls_end;

static struct connection **all;
static int all_count, all_room;
static struct connection *idle_first, *idle_last, *free_later, *api[API_CONNECTIONS];
static int poller, public_port, api_port, server_port, dead_port, reset_port, pid;
static int user_count = 1000, socket_count = 500, slot_count, rate = 2000;
static int owner[MAX_USERS * 2], free_slots[MAX_USERS * 2], free_count;
static const char *token;
static double now, start;
static bool stopping;
static unsigned next_serial;

// What is counted.
static uint64_t plain_done, api_done, answered, cycles, echoes, reconnects, issued, listings;
static uint64_t rogue_done[ROGUE_KINDS], rogue_wrong[ROGUE_KINDS], rogue_open[ROGUE_KINDS];
static int sockets_open, sockets_lost, rogues_running;
static struct failure { char text[160]; uint64_t count; } failures[64];
static int failure_kinds;
enum { BUCKETS = 512 };
static uint64_t plain_times[BUCKETS], api_times[BUCKETS], echo_times[BUCKETS];

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void fail(const char *format, ...) {
    char text[160];
    va_list words;
    va_start(words, format);
    vsnprintf(text, sizeof text, format, words);
    va_end(words);
    for (char *at = text; *at; at++)
        if (*at == '"' || *at == '\\' || *at < ' ') *at = '\'';
    for (int i = 0; i < failure_kinds; i++)
        if (!strcmp(failures[i].text, text)) { failures[i].count++; return; }
    if (failure_kinds == 64) { failures[63].count++; return; }
    strcpy(failures[failure_kinds].text, text);
    failures[failure_kinds++].count = 1;
}

static void give_up(const char *what) {
    fprintf(stderr, "soak: %s: %s\n", what, strerror(errno));
    exit(70);
}

static double clock_seconds(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

// Sixteen buckets for every doubling, from a microsecond on; the jam does not count.
static void note(uint64_t *times, double seconds) {
    if (!start || now < start + 2 * JAM) return;
    int bucket = seconds <= 1e-6 ? 0 : (int)(16 * log2(seconds * 1e6));
    times[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static double quantile(const uint64_t *times, double part) {
    uint64_t total = 0, sum = 0;
    for (int i = 0; i < BUCKETS; i++) total += times[i];
    for (int i = 0; i < BUCKETS; i++)
        if ((sum += times[i]) && sum >= part * total) return exp2((i + 1) / 16.0) / 1e3;
    return 0;
}

static int chance(int below) { return (int)(random() % below); }

// ------------------------------------------------------------------------------------- plumbing

static void append(struct bytes *to, const void *data, size_t count) {
    if (to->count + count + 1 > to->room) {
        to->room = (to->count + count + 1) * 2;
        if (!(to->data = realloc(to->data, to->room))) give_up("memory");
    }
    if (data) memcpy(to->data + to->count, data, count);
    to->count += count;
    to->data[to->count] = 0;
}

static void print(struct bytes *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void print(struct bytes *to, const char *format, ...) {
    char text[4096];
    va_list words;
    va_start(words, format);
    int count = vsnprintf(text, sizeof text, format, words);
    va_end(words);
    append(to, text, count);
}

static void consume(struct bytes *from, size_t count) {
    from->count -= count;
    memmove(from->data, from->data + count, from->count + 1);
}

static struct connection *adopt(enum role role, int fd) {
    struct connection *made = calloc(1, sizeof *made);
    if (!made) give_up("memory");
    made->role = role, made->fd = fd, made->user = -1;
    if (all_count == all_room) {
        all_room = all_room ? all_room * 2 : 1024;
        if (!(all = realloc(all, all_room * sizeof *all))) give_up("memory");
    }
    made->index = all_count;
    all[all_count++] = made;
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = made};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &wanted)) give_up("epoll_ctl");
    return made;
}

static void watch(struct connection *of, bool writing) {
    if (of->writing == writing) return;
    of->writing = writing;
    struct epoll_event wanted = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = of};
    if (epoll_ctl(poller, EPOLL_CTL_MOD, of->fd, &wanted)) give_up("epoll_ctl");
}

// Ends a connection, with a reset where the peer shall see one. It is freed after this round.
static void end(struct connection *one, bool reset) {
    if (one->ended) return;
    one->ended = true;
    if (reset) {
        struct linger none = {1, 0};
        setsockopt(one->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    close(one->fd);
    all[one->index] = all[--all_count];
    all[one->index]->index = one->index;
    if (!(one->role == PLAIN && !one->busy)) one->next = free_later, free_later = one;
    else one->closing = true;   // It still stands among the idle, and is freed when its turn comes.
}

static void discard(struct connection *one) {
    free(one->in.data);
    free(one->out.data);
    free(one);
}

static void flush(struct connection *one) {
    if (one->ended || one->connecting) return;
    while (one->out.count) {
        ssize_t sent = send(one->fd, one->out.data, one->out.count, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) break;
            consume(&one->out, one->out.count);     // Reading will show the end.
            break;
        }
        consume(&one->out, sent);
    }
    watch(one, one->out.count > 0);
    if (!one->out.count && one->closing) end(one, false);
}

static struct sockaddr_in loopback(int slot, int port) {
    uint32_t host = slot < 0 ? 0x7f000001 : 0x7f010000 + (slot / 250 << 8) + slot % 250 + 1;
    return (struct sockaddr_in){AF_INET, htons(port), {htonl(host)}, {0}};
}

static struct connection *dial(enum role role, int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    if (fd < 0) give_up("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct sockaddr_in to = loopback(-1, port);
    if (connect(fd, (void *)&to, sizeof to) && errno != EINPROGRESS) give_up("connect");
    struct connection *made = adopt(role, fd);
    made->connecting = true;
    watch(made, true);
    return made;
}

static int listen_on(int slot, int *port, bool listening) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in at = loopback(slot, *port);
    socklen_t size = sizeof at;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, (void *)&at, sizeof at) || (listening && listen(fd, 512))) give_up("listen");
    getsockname(fd, (void *)&at, &size);
    *port = ntohs(at.sin_port);
    return fd;
}

// ------------------------------------------------------------------------------------- messages

struct message { int status; size_t head, total; struct bytes body; bool last; };

static char *field(const char *head, const char *name) {
    char line[64];
    snprintf(line, sizeof line, "\r\n%s:", name);
    char *found = strcasestr(head, line);
    return found ? found + strlen(line) + strspn(found + strlen(line), " ") : NULL;
}

// 1 with a whole message in front of the bytes, 0 when more is needed, -1 for nonsense.
static int parse(struct bytes *in, bool answer, struct message *into) {
    static struct bytes body;
    body.count = 0;
    append(&body, "", 0);
    char *stop = in->count ? strstr(in->data, "\r\n\r\n") : NULL;
    if (!stop) return in->count > 32768 ? -1 : 0;
    char kept = stop[2];
    stop[2] = 0;        // Fields are looked for in the head only.
    *into = (struct message){.head = stop + 4 - in->data};
    char *length = field(in->data, "content-length"), *coding = field(in->data, "transfer-encoding");
    char *connection = field(in->data, "connection");
    into->last = connection && !strncasecmp(connection, "close", 5);
    bool chunked = coding && !strncasecmp(coding, "chunked", 7);
    size_t count = length ? strtoul(length, NULL, 10) : 0;
    stop[2] = kept;
    if (answer && sscanf(in->data, "HTTP/1.1 %d", &into->status) != 1) return -1;
    if (into->status == 204 || into->status == 101) count = 0, chunked = false;
    into->total = into->head + count;
    if (!chunked) {
        if (in->count < into->total) return 0;
        append(&body, in->data + into->head, count);
        into->body = body;
        return 1;
    }
    for (size_t at = into->head;;) {
        char *line = memmem(in->data + at, in->count - at, "\r\n", 2);
        if (!line) return 0;
        size_t size = strtoul(in->data + at, NULL, 16);
        at = line + 2 - in->data;
        if (in->count < at + size + 2) return 0;
        append(&body, in->data + at, size);
        at += size + 2;
        if (!size) {
            into->total = at, into->body = body;
            return 1;
        }
    }
}

// One WebSocket message of less than 64 KiB; from a client it is masked (with zeros).
static void frame(struct bytes *to, bool client, const char *text, size_t count) {
    unsigned char head[8] = {0x81, client ? 0x80 : 0};
    int size = 2;
    if (count < 126) head[1] |= count;
    else head[1] |= 126, head[2] = count >> 8, head[3] = count & 255, size = 4;
    append(to, head, size + (client ? 4 : 0));
    append(to, text, count);
}

// The length of the whole frame in front, 0 when more is needed; its text is what follows `head`.
static size_t frame_length(const struct bytes *in, size_t *head) {
    const unsigned char *data = (void *)in->data;
    if (in->count < 4) return 0;
    size_t count = data[1] & 127;
    *head = 2;
    if (count == 126) count = data[2] << 8 | data[3], *head = 4;
    if (data[1] & 128) *head += 4;
    return in->count >= *head + count ? *head + count : 0;
}

// ----------------------------------------------------------------------- the servers of the users

static void first_line(struct bytes *to, int user, int slot, unsigned serial) {
    print(to, "user u%d server %d request %u\n", user, slot, serial);
}

// What a server answers, and what a client compares it with.
static void answer_body(struct bytes *to, enum deed deed, int user, int slot, unsigned serial) {
    first_line(to, user, slot, serial);
    if (deed != LARGE && deed != POSTED) return;
    size_t count = deed == LARGE ? BIG : 1000 + serial % 8000, from = to->count;
    append(to, NULL, count);
    memset(to->data + from, 'a' + serial % 26, count);
}

static void serve_answer(struct connection *one) {
    static struct bytes body;
    body.count = 0;
    answer_body(&body, one->deed == POSTED ? SMALL : one->deed, owner[one->slot], one->slot, one->serial);
    if (one->deed == POSTED) append(&body, one->in.data, one->in.count), one->in.count = 0;
    print(&one->out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n");
    if (one->deed == LARGE) {
        print(&one->out, "Transfer-Encoding: chunked\r\n\r\n");
        for (size_t at = 0; at < body.count; at += 10000) {
            size_t count = body.count - at < 10000 ? body.count - at : 10000;
            print(&one->out, "%zx\r\n", count);
            append(&one->out, body.data + at, count);
            print(&one->out, "\r\n");
        }
        print(&one->out, "0\r\n\r\n");
    } else {
        print(&one->out, "Content-Length: %zu\r\n\r\n", body.count);
        append(&one->out, body.data, body.count);
    }
}

static void serve_request(struct connection *one, struct message *request) {
    char word[16] = "";
    if (sscanf(one->in.data, "%*s /user/u%d/%15[a-z]/%u", &one->user, word, &one->serial) != 3) {
        fail("a server was sent '%.40s'", one->in.data);
        end(one, true);
        return;
    }
    for (one->deed = SMALL; one->deed < ECHO_DIES && strcmp(word, DEEDS[one->deed]);) one->deed++;
    consume(&one->in, request->total);
    bool last = request->last;
    switch (one->deed) {
    case POSTED: {
        struct bytes rest = one->in;
        one->in = request->body;        // serve_answer takes the body from there.
        serve_answer(one);
        one->in = rest;
        break;
    }
    case SMALL: case LARGE: serve_answer(one); break;
    case SLOW: one->due = now + 0.3; break;
    case STREAM:
        print(&one->out, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        one->due = now + 0.05;
        break;
    case DIE:
        print(&one->out, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it");
        one->due = now + 0.05;
        break;
    case FORBID:
        print(&one->out, "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\nConnection: close\r\n\r\nforbidden");
        last = true;
        break;
    case ECHO: case ECHO_DIES:
        print(&one->out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
              "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
        one->upgraded = true, last = false;
        if (one->deed == ECHO_DIES) one->due = now + (one->serial % 2 ? 0.1 : 0.001);
        break;
    }
    one->closing = last && one->deed != SLOW && one->deed != STREAM && one->deed != DIE;
    one->busy = last;
    flush(one);
}

static void server_reads(struct connection *one) {
    struct message request;
    size_t head, length;
    while (!one->ended && one->upgraded && (length = frame_length(&one->in, &head))) {
        struct bytes text = {0};
        if (one->in.data[0] == (char)0x88) { end(one, false); return; }
        print(&text, "server %d: ", one->slot);
        append(&text, one->in.data + head, length - head);
        frame(&one->out, false, text.data, text.count);
        free(text.data);
        consume(&one->in, length);
        flush(one);
    }
    while (!one->ended && !one->upgraded && !one->closing) {
        int state = parse(&one->in, false, &request);
        if (state == 0) return;
        if (state < 0) { fail("a server was sent nonsense"); end(one, true); return; }
        serve_request(one, &request);
    }
}

static void server_timer(struct connection *one) {
    static char zeros[1000];
    switch (one->deed) {
    case SLOW: serve_answer(one); one->closing = one->busy; break;
    case STREAM:
        if (one->out.count < 1 << 20) append(&one->out, zeros, sizeof zeros);
        one->due = now + 0.05;
        break;
    default: end(one, true);
    }
    flush(one);
}

// ---------------------------------------------------------------------------- people's requests

static void head_of_request(struct bytes *to, const char *method, const char *path, int port) {
    print(to, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n"
          "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\n"
          "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n"
          "Cookie: _xsrf=2|d7a1c0f2|0b6e2c6d7a1c0f2b; jupyterhub-session-id=0123456789abcdef\r\n",
          method, path, port);
}

static void upgrade_fields(struct bytes *to) {
    print(to, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
}

static void want_call(int user, char method, int status) {
    calls[calls_end++ % (1 << 14)] = (struct call){user, method, status, now};
    if (calls_end - calls_first >= 1 << 14) give_up("the proxy answers too few calls of the API");
}

static void want_job(int user, enum deed deed, int status) {
    jobs[jobs_end++ % (1 << 16)] = (struct job){user, status, deed, now};
    if (jobs_end - jobs_first >= 1 << 16) give_up("the proxy answers too few requests");
    users[user].running++;
}

// The user has nothing under way any more: a route that was to go can be deleted.
static void release(int user) {
    struct user *one = &users[user];
    if (--one->running == 0 && one->phase == LEAVING) {
        one->phase = DELETING;
        want_call(user, 'D', 204);
    }
}

static void put_idle(struct connection *one) {
    one->busy = false, one->next = NULL;
    if (idle_last) idle_last->next = one; else idle_first = one;
    idle_last = one;
}

static struct connection *take_idle(void) {
    struct connection *one = idle_first;
    if (!one) return NULL;
    if (!(idle_first = one->next)) idle_last = NULL;
    if (one->ended) {       // The proxy closed it meanwhile, as it may.
        discard(one);
        reconnects++;
        one = dial(PLAIN, public_port);
    }
    one->busy = true;
    return one;
}

static void start_jobs(void) {
    while (jobs_first != jobs_end) {
        struct connection *one = take_idle();
        if (!one) return;
        struct job *job = &jobs[jobs_first++ % (1 << 16)];
        char path[80];
        one->user = job->user, one->status = job->status, one->deed = job->deed;
        one->slot = users[job->user].slot, one->serial = next_serial++;
        one->began = job->wanted, one->due = now + PATIENCE;
        snprintf(path, sizeof path, "/user/u%d/%s/%u", job->user, DEEDS[job->deed], one->serial);
        head_of_request(&one->out, job->deed == POSTED ? "POST" : "GET", path, public_port);
        if (job->deed == POSTED) {
            size_t count = 1000 + one->serial % 8000;
            print(&one->out, "Content-Length: %zu\r\n\r\n", count);
            append(&one->out, NULL, count);
            memset(one->out.data + one->out.count - count, 'a' + one->serial % 26, count);
        } else print(&one->out, "\r\n");
        flush(one);
    }
}

static void plain_over(struct connection *one, bool usable) {
    struct user *user = &users[one->user];
    int of = one->user;
    one->due = 0, one->user = -1;
    if (usable) put_idle(one);
    else {
        end(one, false);
        put_idle(dial(PLAIN, public_port));
    }
    if (user->phase == GONE) want_call(of, 'G', 404);
    if (user->phase == NEW) user->phase = PRESENT, cycles++, want_call(of, 'G', 200);
    release(of);
}

static void plain_reads(struct connection *one) {
    struct message got;
    if (!one->busy) { fail("bytes of an answer that nobody asked for"); end(one, false); return; }
    int state = parse(&one->in, true, &got);
    if (state == 0) return;
    if (state < 0) {
        fail("an answer is nonsense");
        plain_over(one, false);
        return;
    }
    static struct bytes wanted;
    wanted.count = 0;
    answer_body(&wanted, one->deed, one->user, one->slot, one->serial);
    if (got.status != one->status)
        fail("%s: %d in place of %d", DEEDS[one->deed], got.status, one->status);
    else if (got.status == 200 && (got.body.count != wanted.count ||
                                   memcmp(got.body.data, wanted.data, wanted.count)))
        fail("%s: a wrong answer", DEEDS[one->deed]);
    else plain_done++, note(plain_times, now - one->began);
    consume(&one->in, got.total);
    plain_over(one, !got.last);
}

// ------------------------------------------------------------------------------- the Hub's calls

static void start_calls(void) {
    for (int i = 0; i < API_CONNECTIONS && calls_first != calls_end; i++) {
        struct connection *one = api[i];
        if (one->busy) continue;
        struct call *call = &calls[calls_first++ % (1 << 14)];
        char path[80] = "/api/routes";
        if (call->user >= 0) snprintf(path, sizeof path, "/api/routes/user/u%d", call->user);
        one->busy = true, one->user = call->user, one->kind = call->method;
        one->status = call->status, one->began = call->wanted, one->due = now + PATIENCE;
        print(&one->out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n"
              "Authorization: token %s\r\n", call->method == 'P' ? "POST" :
              call->method == 'D' ? "DELETE" : "GET", path, api_port, token);
        if (call->method == 'P') {
            struct sockaddr_in at = loopback(users[call->user].slot, server_port);
            char body[200];
            int count = snprintf(body, sizeof body, "{\"user\": \"u%d\", \"server_name\": \"\", "
                "\"target\": \"http://%s:%d\", \"jupyterhub\": true}", call->user,
                inet_ntoa(at.sin_addr), server_port);
            print(&one->out, "Content-Length: %d\r\n\r\n%s", count, body);
        } else print(&one->out, "\r\n");
        issued++;
        flush(one);
    }
}

// A user's server stops: it closes its connections, but for the WebSockets of this load, which must
// outlive the route.
static void stop_server(int slot) {
    for (int i = all_count - 1; i >= 0; i--)
        if (all[i]->role == SERVER && all[i]->slot == slot && !all[i]->upgraded) end(all[i], false);
}

static void add_route(int user) {
    users[user].slot = free_slots[--free_count];
    owner[users[user].slot] = user;
    users[user].phase = ADDING;
    want_call(user, 'P', 201);
}

static void call_over(struct connection *one, const char *body) {
    struct user *user = &users[one->user];
    char named[80];
    if (one->kind == 'P') {
        user->phase = NEW;
        want_job(one->user, SMALL, 200);        // From now on every request must arrive.
    } else if (one->kind == 'D') {
        stop_server(user->slot);    // Another user gets this address, but only after the others.
        memmove(free_slots + 1, free_slots, free_count * sizeof *free_slots);
        free_slots[0] = user->slot, free_count++;
        user->phase = stopping ? ABSENT : GONE;
        if (!stopping) want_job(one->user, SMALL, 404);
    } else if (one->status == 404) {
        add_route(one->user);
    } else if (user->phase == PRESENT) {        // A later cycle may have begun meanwhile.
        struct sockaddr_in at = loopback(user->slot, server_port);
        snprintf(named, sizeof named, "\"http://%s:%d\"", inet_ntoa(at.sin_addr), server_port);
        if (!strstr(body, named)) fail("a route that was read names another server");
    }
}

static void api_reads(struct connection *one) {
    struct message got;
    int state = parse(&one->in, true, &got);
    if (state == 0) return;
    bool listing = one->user < 0;
    if (state < 0 || !one->busy) fail("an answer of the API is nonsense");
    else if (got.status != one->status && !(one->kind == 'G' && !listing && one->status == 200 &&
                                            users[one->user].phase != PRESENT))
        fail("API %c: %d in place of %d", one->kind, got.status, one->status);
    else {
        api_done++, note(api_times, now - one->began);
        if (listing) listings += strchr(got.body.data, '{') != NULL;
        else if (got.status == one->status) call_over(one, got.body.data);
    }
    one->busy = false, one->due = 0;
    if (state < 0 || got.last) {
        end(one, false);
        for (int i = 0; i < API_CONNECTIONS; i++)
            if (api[i] == one) api[i] = dial(API, api_port);
        return;
    }
    consume(&one->in, got.total);
}

// ----------------------------------------------------------------- WebSockets that stay, and rogues

static int some_user(void) {
    for (int tries = 0; tries < 200; tries++) {
        int user = chance(user_count);
        if (users[user].phase == PRESENT) return user;
    }
    return -1;
}

static void open_tunnel(void) {
    int user = some_user();
    if (user < 0) return;
    struct connection *one = dial(TUNNEL, public_port);
    char path[80];
    users[user].running++;
    sockets_open++, issued++;
    one->user = user, one->slot = users[user].slot, one->began = now, one->due = now + PATIENCE;
    one->busy = true;
    snprintf(path, sizeof path, "/user/u%d/echo/%u", user, next_serial++);
    head_of_request(&one->out, "GET", path, public_port);
    upgrade_fields(&one->out);
}

static void tunnel_lost(struct connection *one, const char *how) {
    fail("WebSocket: %s", how);
    sockets_lost++, sockets_open--;
    if (!one->upgraded) release(one->user);
    end(one, false);
}

// Now and then a message; some are longer than a small buffer.
static void tunnel_text(struct connection *one, struct bytes *to) {
    print(to, "message %u of %d", one->sent, one->user);
    size_t more = one->sent % 7 ? 0 : 5000, from = to->count;
    append(to, NULL, more);
    memset(to->data + from, 'x', more);
}

static void tunnel_timer(struct connection *one) {
    if (one->busy) { tunnel_lost(one, "no echo"); return; }
    struct bytes text = {0};
    one->sent++;
    tunnel_text(one, &text);
    frame(&one->out, true, text.data, text.count);
    free(text.data);
    one->busy = true, one->began = now, one->due = now + PATIENCE;
    flush(one);
}

static void tunnel_reads(struct connection *one) {
    struct message got;
    if (!one->upgraded) {
        int state = parse(&one->in, true, &got);
        if (state == 0) return;
        if (state < 0 || got.status != 101) { tunnel_lost(one, "refused"); return; }
        one->upgraded = true, one->busy = false;
        release(one->user);
        consume(&one->in, got.total);
        one->due = now + chance(3000) / 1000.0;
    }
    size_t head, length;
    while (!one->ended && (length = frame_length(&one->in, &head))) {
        struct bytes text = {0};
        print(&text, "server %d: ", one->slot);
        tunnel_text(one, &text);
        bool good = one->busy && text.count == length - head &&
            !memcmp(text.data, one->in.data + head, text.count);
        free(text.data);
        if (!good) { tunnel_lost(one, "a wrong echo"); return; }
        consume(&one->in, length);
        echoes++, note(echo_times, now - one->began);
        one->busy = false, one->due = now + 1 + chance(3000) / 1000.0;
    }
}

static void open_rogue(void) {
    static int turn;
    int kind = turn++ % ROGUE_KINDS;
    const struct rogue *of = &ROGUES[kind];
    int user = of->where == A_USER ? some_user() : -1;
    if (of->where == A_USER && user < 0) return;
    struct connection *one = dial(ROGUE, public_port);
    char path[80];
    one->kind = kind, one->user = user, one->due = now + (of->status ? PATIENCE : of->hold);
    rogues_running++, issued++;
    if (user >= 0) users[user].running++;
    if (of->where == A_USER)
        snprintf(path, sizeof path, "/user/u%d/%s/%u", user, DEEDS[of->deed], next_serial++);
    else
        snprintf(path, sizeof path, "/user/%s/%s", of->where == DEAD ? "dead" :
                 of->where == RESETTING ? "resetting" : "nobody", DEEDS[of->deed]);
    if ((of->flags & (CUT_HEAD | CUT_BODY)) == (CUT_HEAD | CUT_BODY)) return;
    head_of_request(&one->out, of->flags & CUT_BODY ? "POST" : "GET", path, public_port);
    if (of->flags & CUT_HEAD) return;
    if (of->flags & UPGRADE) upgrade_fields(&one->out);
    else if (of->flags & CUT_BODY) print(&one->out, "Content-Length: 100000\r\n\r\nfirst bytes");
    else print(&one->out, "\r\n");
}

static void rogue_over(struct connection *one, bool wrong, bool open) {
    rogue_done[one->kind]++, rogue_wrong[one->kind] += wrong, rogue_open[one->kind] += open;
    rogues_running--;
    if (one->user >= 0) release(one->user);
    end(one, rogue_done[one->kind] & 1);        // Every other client vanishes with a reset.
}

static void rogue_reads(struct connection *one) {
    const struct rogue *of = &ROGUES[one->kind];
    if (of->status && !one->status && one->in.count >= 12) {
        if (sscanf(one->in.data, "HTTP/1.1 %d", &one->status) != 1 || one->status != of->status) {
            fail("%s: '%.12s' in place of %d", of->name, one->in.data, of->status);
            rogue_over(one, true, false);
            return;
        }
        if (!of->hold) { rogue_over(one, false, false); return; }
        one->due = now + (of->after == USABLE ? 0.1 : of->hold);
        if (of->flags & HALF_CLOSE) shutdown(one->fd, SHUT_WR);
    } else if (one->busy && strstr(one->in.data, "HTTP/1.1 404 ")) {
        rogue_over(one, false, false);
        return;
    }
    if (one->status && !one->busy) one->in.count = 0;
}

static void rogue_timer(struct connection *one) {
    const struct rogue *of = &ROGUES[one->kind];
    if (of->status && !one->status) fail("%s: no answer", of->name);
    if (one->status && of->after == USABLE && !one->busy) {
        one->busy = true, one->due = now + of->hold;
        head_of_request(&one->out, "GET", "/user/nobody/again", public_port);
        print(&one->out, "\r\n");
        flush(one);
        return;
    }
    rogue_over(one, of->status && !one->status, one->status && of->after != VANISH);
}

// --------------------------------------------------------------------------------------- the loop

static void ended_by_peer(struct connection *one) {
    switch (one->role) {
    case LISTENER: break;
    case SERVER: end(one, false); break;
    case PLAIN:
        if (!one->busy) { end(one, false); break; }
        fail("%s: closed before the answer", DEEDS[one->deed]);
        plain_over(one, false);
        break;
    case API:
        if (one->busy) fail("API %c: closed before the answer", one->kind);
        end(one, false);
        for (int i = 0; i < API_CONNECTIONS; i++)
            if (api[i] == one) api[i] = dial(API, api_port);
        break;
    case TUNNEL: tunnel_lost(one, "closed"); break;
    case ROGUE: {
        bool missing = ROGUES[one->kind].status && !one->status;
        if (missing) fail("%s: closed without an answer", ROGUES[one->kind].name);
        rogue_over(one, missing, false);
    }
    }
}

static void accept_all(struct connection *listener) {
    for (int fd; (fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct connection *one = adopt(SERVER, fd);
        one->slot = listener->slot;
    }
}

static void happened(struct connection *one, uint32_t events) {
    if (one->ended) return;
    if (one->role == LISTENER) { accept_all(one); return; }
    if (one->connecting && events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(one->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            if (one->role == PLAIN && !one->busy) errno = error, give_up("the proxy's port");
            ended_by_peer(one);
            return;
        }
        one->connecting = false;
        bool half = one->role == ROGUE && ROGUES[one->kind].flags & HALF_CLOSE &&
            !ROGUES[one->kind].status;
        flush(one);
        if (half) shutdown(one->fd, SHUT_WR);
    } else if (events & EPOLLOUT) flush(one);
    if (one->ended || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
    static char piece[1 << 17];
    ssize_t count = recv(one->fd, piece, sizeof piece, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) { ended_by_peer(one); return; }
    if (one->role == SERVER && one->slot < 0) { end(one, true); return; }     // it resets
    append(&one->in, piece, count);
    switch (one->role) {
    case SERVER: server_reads(one); break;
    case PLAIN: plain_reads(one); break;
    case API: api_reads(one); break;
    case TUNNEL: tunnel_reads(one); break;
    case ROGUE: rogue_reads(one); break;
    case LISTENER: break;
    }
}

static void timers(void) {
    for (int i = all_count - 1; i >= 0; i--) {
        if (i >= all_count) continue;
        struct connection *one = all[i];
        if (!one->due || one->due > now) continue;
        one->due = 0;
        switch (one->role) {
        case SERVER: server_timer(one); break;
        case PLAIN:
            fail("%s: no answer within %d s", DEEDS[one->deed], PATIENCE);
            plain_over(one, false);
            break;
        case API:
            fail("API %c: no answer within %d s", one->kind, PATIENCE);
            one->busy = false;
            ended_by_peer(one);
            break;
        case TUNNEL: tunnel_timer(one); break;
        case ROGUE: rogue_timer(one); break;
        case LISTENER: break;
        }
    }
}

static void turn(int milliseconds) {
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, milliseconds);
    now = clock_seconds();
    for (int i = 0; i < count; i++) happened(events[i].data.ptr, events[i].events);
    static double next_timers;
    if (now >= next_timers) {
        next_timers = now + 0.01;
        timers();
    }
    start_calls();
    start_jobs();
    while (free_later) {
        struct connection *one = free_later;
        free_later = one->next;
        discard(one);
    }
}

static int resident_kilobytes(void) {
    char path[64], line[256];
    int found = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    if (!file) give_up("the proxy has ended");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %d", &found) == 1) break;
    fclose(file);
    return found;
}

static int descriptors(void) {
    char path[64];
    int count = -2;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *folder = opendir(path);
    if (!folder) give_up("the proxy has ended");
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

// Adds a route that belongs to no user, or deletes it (port 0); waits for the answer.
static void fixed_route(const char *name, int port) {
    char text[600], body[80];
    int count = snprintf(body, sizeof body, "{\"target\": \"http://127.0.0.1:%d\"}", port);
    int size = snprintf(text, sizeof text, "%s /api/routes/user/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Authorization: token %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
        port ? "POST" : "DELETE", name, token, port ? count : 0, port ? body : "");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = loopback(-1, api_port);
    if (connect(fd, (void *)&to, sizeof to) || write(fd, text, size) != size) give_up("the API");
    ssize_t got = read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = 0;
    if (strncmp(text, port ? "HTTP/1.1 201" : "HTTP/1.1 204", 12)) fail("API: '%.12s'", text);
    close(fd);
}

static void prepare(void) {
    signal(SIGPIPE, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    poller = epoll_create1(EPOLL_CLOEXEC);
    slot_count = user_count + user_count / 5;
    for (int slot = 0; slot < slot_count; slot++) {
        struct connection *one = adopt(LISTENER, listen_on(slot, &server_port, true));
        one->slot = slot;
        free_slots[free_count++] = slot;
    }
    listen_on(-1, &dead_port, false);       // bound, so that nobody else answers there
    adopt(LISTENER, listen_on(-1, &reset_port, true))->slot = -1;
    fixed_route("dead", dead_port);
    fixed_route("resetting", reset_port);
    now = clock_seconds();
    for (int i = 0; i < API_CONNECTIONS; i++) api[i] = dial(API, api_port);
    for (int i = 0; i < PLAIN_CONNECTIONS; i++) put_idle(dial(PLAIN, public_port));
    for (int user = 0; user < user_count; user++) add_route(user);
    for (double limit = now + 60; calls_first != calls_end || jobs_first != jobs_end;) {
        turn(10);
        if (now > limit) give_up("the first routes");
    }
    for (double next = now, limit = now + 60; sockets_open < socket_count; turn(5)) {
        if (now > limit) give_up("the WebSockets");
        for (; next < now && sockets_open < socket_count; next += 0.004) open_tunnel();
    }
}

// Starts what is due by now, so that `rate` requests a second come about, whatever they are. The
// first seconds' worth is due at once: a machine that stalls for a moment brings the same, and what
// the proxy needs for as much at a time it shall have from the start.
static void generate(double elapsed) {
    if (elapsed < JAM) elapsed = JAM;
    static uint64_t rogues, wanted_cycles, wanted_listings, plain;
    for (; rogues < elapsed * ROGUES_A_SECOND; rogues++) open_rogue();
    for (; wanted_listings * LISTING_EVERY < elapsed; wanted_listings++) want_call(-1, 'G', 200);
    for (; wanted_cycles < elapsed * CYCLES_A_SECOND; wanted_cycles++) {
        int user = some_user();
        if (user < 0) continue;
        users[user].phase = LEAVING, users[user].running++;
        release(user);
    }
    for (; issued + plain + 2 * cycles < elapsed * rate; plain++) {
        int user = some_user(), of = chance(20);
        if (user >= 0) want_job(user, of < 2 ? LARGE : of < 5 ? POSTED : SMALL, 200);
    }
}

// Requests and calls that wait for a connection, or for their answer.
static int under_way(void) {
    int count = jobs_end - jobs_first + calls_end - calls_first;
    for (int i = 0; i < all_count; i++)
        count += (all[i]->role == PLAIN || all[i]->role == API) && all[i]->busy;
    return count;
}

static void finish(void) {
    stopping = true;
    for (double limit = now + PATIENCE + 5; now < limit && (rogues_running || under_way());) turn(5);
    // Nothing that was wanted is forgotten because there was no time for it.
    for (int left = under_way(); left; left--) fail("never answered, or not even sent");
    // Those in the middle of a cycle complete it.
    double limit = now + PATIENCE;
    for (bool moving = true; moving && now < limit; turn(5)) {
        moving = false;
        for (int i = 0; i < user_count; i++)
            moving |= users[i].phase != PRESENT && users[i].phase != ABSENT;
    }
    for (int user = 0; user < user_count; user++)
        if (users[user].phase == PRESENT) users[user].phase = DELETING, want_call(user, 'D', 204);
    for (limit = now + 60; now < limit;) {
        bool busy = calls_first != calls_end;
        for (int i = 0; i < API_CONNECTIONS; i++) busy |= api[i]->busy;
        if (!busy) break;
        turn(5);
    }
    fixed_route("dead", 0);
    fixed_route("resetting", 0);
}

static void print_times(const char *name, const uint64_t *times) {
    printf("  \"%s_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"most\": %.3f},\n", name,
           quantile(times, 0.5), quantile(times, 0.99), quantile(times, 1));
}

static uint64_t rogues_done(void) {
    uint64_t sum = 0;
    for (int i = 0; i < ROGUE_KINDS; i++) sum += rogue_done[i];
    return sum;
}

static void report(double seconds, const int *memory, const int *open, int samples) {
    uint64_t rogue_sum = rogues_done();
    printf("{\n  \"seconds\": %.1f, \"requests\": %lu, \"api_calls\": %lu, \"listings\": %lu,\n"
           "  \"route_cycles\": %lu, \"rogues\": %lu, \"requests_a_second\": %.0f,\n"
           "  \"answered_a_second\": %.0f,\n"
           "  \"sockets\": %d, \"sockets_lost\": %d, \"echoes\": %lu, \"reconnects\": %lu,\n",
           seconds, plain_done, api_done, listings, cycles, rogue_sum,
           (plain_done + api_done + rogue_sum) / seconds, answered / seconds, sockets_open,
           sockets_lost, echoes, reconnects);
    print_times("request", plain_times);
    print_times("api", api_times);
    print_times("echo", echo_times);
    printf("  \"failures\": {");
    for (int i = 0; i < failure_kinds; i++)
        printf("%s\n    \"%s\": %lu", i ? "," : "", failures[i].text, failures[i].count);
    printf("},\n  \"rogue_kinds\": {");
    for (int i = 0; i < ROGUE_KINDS; i++)
        printf("%s\n    \"%s\": {\"done\": %lu, \"wrong\": %lu, \"left_open\": %lu}", i ? "," : "",
               ROGUES[i].name, rogue_done[i], rogue_wrong[i], rogue_open[i]);
    printf("},\n  \"resident_kb\": [");
    for (int i = 0; i < samples; i++) printf("%s%d", i ? "," : "", memory[i]);
    printf("],\n  \"descriptors\": [");
    for (int i = 0; i < samples; i++) printf("%s%d", i ? "," : "", open[i]);
    printf("]\n}\n");
}

int main(int count, char **words) {
    if (count < 6) {
        fprintf(stderr, "usage: soak PUBLIC_PORT API_PORT TOKEN PID SECONDS [USERS [SOCKETS [RATE]]]\n");
        return 64;
    }
    public_port = atoi(words[1]), api_port = atoi(words[2]), token = words[3], pid = atoi(words[4]);
    int seconds = atoi(words[5]), samples = 0;
    if (count > 6) user_count = atoi(words[6]);
    if (count > 7) socket_count = atoi(words[7]);
    if (count > 8) rate = atoi(words[8]);
    if (user_count < 1 || user_count > MAX_USERS || seconds < 1 || pid < 1) return 64;
    int *memory = calloc(seconds + 1, sizeof *memory), *open = calloc(seconds + 1, sizeof *open);
    srandom(1);
    prepare();
    plain_done = api_done = issued = cycles = 0;
    start = now;
    while (now - start < seconds) {
        generate(now - start);
        turn(2);
        if (samples <= seconds && now - start >= samples)
            memory[samples] = resident_kilobytes(), open[samples++] = descriptors();
    }
    double took = now - start;
    answered = plain_done + api_done + rogues_done();   // in time: what follows was left behind
    finish();
    report(took, memory, open, samples);
    return 0;
}
