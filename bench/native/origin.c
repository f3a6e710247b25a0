/* The upstream of the proxy benchmark: one thread, epoll and OpenSSL, so cheap that a proxy is the bottleneck.
 *
 *   origin ADDRESS PORT CERTIFICATE KEY [TEXT RANDOM]
 *                       prints "ready" once it listens, runs until it is killed
 *
 *   GET /.../bytes/N    200 with N zero bytes
 *   GET /.../text/N     200 with N bytes of the file TEXT, repeated, as text/plain
 *   GET /.../random/N   the same of RANDOM, as application/octet-stream
 *   GET /.../echo       200 with the head as it came
 *   any other GET       200 with 512 bytes of JSON
 *   POST, PUT           200 once the whole body (Content-Length or chunked) was read and dropped
 *
 * It trusts its clients (they are the proxies that are measured) and is no example of a server.
 */
#define _GNU_SOURCE
#include "net.h"

enum { HEAD_MAX = 65536, OUT_MAX = HEAD_MAX + 1024, WRITE_MAX = 16384 };

typedef struct {
    int fd, shaken, writing;
    SSL *ssl;
    size_t head_used;
    int in_body;           /* reading a request's body */
    long long body_left;   /* of a Content-Length body; -1: chunked, to the end of the last chunk */
    char tail[5];          /* the last bytes of a chunked body */
    size_t out_used, out_sent;
    const char *fill;      /* what a bulk answer repeats, and how long that is */
    size_t fill_size;
    long long fill_sent, fill_left; /* of a bulk answer, after what is in out */
    char head[HEAD_MAX], out[OUT_MAX];
} Peer;

static char zeros[16384];
static char small[512 + 1];
static const char *text = zeros, *noise = zeros;
static size_t text_size = sizeof zeros, noise_size = sizeof zeros;

/* Length bytes that repeat fill, after a head. */
static void bulk(Peer *peer, const char *type, const char *fill, size_t fill_size, long long length) {
    peer->out_used = (size_t)snprintf(peer->out, OUT_MAX,
        "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        "Content-Type: %s\r\nContent-Length: %lld\r\n\r\n", type, length);
    peer->out_sent = 0;
    peer->fill = fill;
    peer->fill_size = fill_size;
    peer->fill_sent = 0;
    peer->fill_left = length;
    peer->writing = 1;
}

/* Length bytes of body. */
static void answer(Peer *peer, const char *body, long long length) {
    peer->out_used = (size_t)snprintf(peer->out, OUT_MAX,
        "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        "Content-Type: %s\r\nContent-Length: %lld\r\n\r\n%.*s",
        "application/json", length, (int)length, body);
    peer->out_sent = 0;
    peer->fill_left = 0;
    peer->writing = 1;
}

/* A whole head is in peer->head up to end; what follows it is body. */
static void judge(Peer *peer, char *end) {
    size_t size = (size_t)(end - peer->head), rest = peer->head_used - size;
    char kept = *end;
    *end = 0;
    const char *length = strcasestr(peer->head, "\r\ncontent-length:");
    const char *chunked = strcasestr(peer->head, "\r\ntransfer-encoding:");
    const char *bytes = strstr(peer->head, "/bytes/");
    if (strncmp(peer->head, "GET ", 4) == 0) {
        const char *words = strstr(peer->head, "/text/"), *random = strstr(peer->head, "/random/");
        if (bytes) bulk(peer, "application/octet-stream", zeros, sizeof zeros, atoll(bytes + 7));
        else if (words) bulk(peer, "text/plain; charset=utf-8", text, text_size, atoll(words + 6));
        else if (random) bulk(peer, "application/octet-stream", noise, noise_size, atoll(random + 8));
        else if (strstr(peer->head, "/echo HTTP/")) answer(peer, peer->head, (long long)size);
        else answer(peer, small, 512);
    } else {
        peer->in_body = 1;
        peer->body_left = chunked ? -1 : length ? atoll(length + 17) : 0;
        memset(peer->tail, 0, sizeof peer->tail);
    }
    *end = kept;
    memmove(peer->head, end, rest);
    peer->head_used = rest;
}

/* Drop body bytes; what follows the body stays in peer->head (nobody here pipelines after a chunked one). */
static void drop_body(Peer *peer) {
    size_t used = peer->head_used;
    if (peer->body_left < 0) {
        for (size_t i = used > 5 ? used - 5 : 0; i < used; i++) {
            memmove(peer->tail, peer->tail + 1, 4);
            peer->tail[4] = peer->head[i];
        }
        peer->head_used = 0;
        if (memcmp(peer->tail, "0\r\n\r\n", 5) == 0) peer->in_body = 0;
    } else {
        size_t take = (long long)used < peer->body_left ? used : (size_t)peer->body_left;
        memmove(peer->head, peer->head + take, used - take);
        peer->head_used -= take;
        peer->body_left -= (long long)take;
        if (peer->body_left == 0) peer->in_body = 0;
    }
    if (!peer->in_body) answer(peer, small, 512);
}

/* 1: go on, 0: wait for the socket, -1: close. */
static int step(Peer *peer) {
    int got;
    if (!peer->shaken) {
        if ((got = SSL_accept(peer->ssl)) == 1) return peer->shaken = 1;
    } else if (peer->writing) {
        if (peer->out_sent < peer->out_used) {
            got = SSL_write(peer->ssl, peer->out + peer->out_sent, (int)(peer->out_used - peer->out_sent));
            if (got > 0) peer->out_sent += (size_t)got;
        } else {
            size_t at = peer->fill_left ? (size_t)peer->fill_sent % peer->fill_size : 0;
            long long take = (long long)(peer->fill_left ? peer->fill_size - at : 0);
            if (take > peer->fill_left) take = peer->fill_left;
            if (take > WRITE_MAX) take = WRITE_MAX;
            got = take ? SSL_write(peer->ssl, peer->fill + at, (int)take) : 1;
            if (got > 0 && take) peer->fill_left -= got, peer->fill_sent += got;
        }
        if (got > 0) {
            peer->writing = peer->out_sent < peer->out_used || peer->fill_left;
            return 1;
        }
    } else {
        peer->head[peer->head_used] = 0;
        char *end = peer->in_body ? NULL : strstr(peer->head, "\r\n\r\n");
        if (end) return judge(peer, end + 4), 1;
        if (peer->in_body && (peer->head_used || peer->body_left == 0)) return drop_body(peer), 1;
        if (peer->head_used >= HEAD_MAX - 1) return -1;
        got = SSL_read(peer->ssl, peer->head + peer->head_used, (int)(HEAD_MAX - 1 - peer->head_used));
        if (got > 0) return peer->head_used += (size_t)got, 1;
    }
    return wants(peer->ssl, got) ? 0 : -1;
}

static void accept_all(int epoll, int listener, SSL_CTX *context) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        Peer *peer = calloc(1, sizeof *peer);
        if (!peer) die("out of memory");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        peer->fd = fd;
        peer->ssl = SSL_new(context);
        SSL_set_fd(peer->ssl, fd);
        watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLET, peer);
    }
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 7) die("usage: origin ADDRESS PORT CERTIFICATE KEY [TEXT RANDOM]");
    if (argc == 7) text = contents(argv[5], &text_size), noise = contents(argv[6], &noise_size);
    signal(SIGPIPE, SIG_IGN);
    memset(small, ' ', 512);
    memcpy(small, "{\"answer\": true}", 16);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context, argv[3]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, argv[4], SSL_FILETYPE_PEM) != 1)
        die("certificate or key");
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    struct sockaddr_in address = endpoint(argv[1], atoi(argv[2]));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), epoll = epoll_create1(EPOLL_CLOEXEC);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) die("listen");
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            Peer *peer = events[i].data.ptr;
            if (!peer) {
                accept_all(epoll, listener, context);
                continue;
            }
            int state;
            while ((state = step(peer)) > 0) {}
            if (state < 0) {
                SSL_free(peer->ssl);
                close(peer->fd);
                free(peer);
            }
        }
    }
}
