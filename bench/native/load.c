/* The client of the proxy benchmark: CONNECT, TLS and HTTP/1.1 from one thread; the proxy is the bottleneck.
 *
 *   load MODE ADDRESS PORT HOST CA CONNECTIONS SECONDS SIZE [BODY TYPE]
 *
 *   keep      requests one after another on each of CONNECTIONS connections, for SECONDS
 *   fresh     a new connection (CONNECT, TLS, one request, close) for each request
 *   down, up  each connection fetches, or posts, SIZE bytes once
 *   slow      as down on one connection, reading 64 KiB every 50 ms, given up after SECONDS
 *   names     as fresh on one connection, each for another name under HOST, SIZE times; each must be a 403
 *
 * With BODY, a file that is repeated, keep and up post SIZE bytes of it as TYPE; down and slow fetch TYPE ("text",
 * "random") instead of zeros, whatever BODY is.
 *
 * ADDRESS:PORT is the proxy; PORT with a leading "=" is the origin itself, without CONNECT. CA is the file whose
 * roots the certificate of HOST must come from. Every answer must have the right status and length, else it
 * ends with status 1. It warms up, prints "warm", waits for a line on standard input, measures, and prints one
 * JSON object: done, seconds, bytes, cpu_s (its own), and of a request the median, 99th percentile and maximum
 * in microseconds.
 */
#define _GNU_SOURCE
#include "net.h"

enum { BUFFER = 262144, WARM_EACH = 20, BUCKETS = 2000000, SILENT_MS = 20000 };
enum { SLOW_READ = 65536, SLOW_PAUSE_US = 50000 };
typedef enum { KEEP, FRESH, DOWN, UP, SLOW, NAMES } Mode;
typedef enum { CONNECTING, ASKING, TUNNEL, SHAKING, SENDING, READING } State;

typedef struct {
    int fd;
    State state;
    SSL *ssl;
    size_t sent, head_used;
    long long body_left; /* -1: the head is not whole yet */
    long long upload_left;
    int chunked, chunk_ends, last_chunk, over; /* of a chunked body: bytes of the line end that is due */
    long long chunk_left;
    size_t line_used;
    char line[32];
    double started;
    long done;
    char ask[640], request[1024], head[8192];
} Flow;

static Mode mode;
static struct sockaddr_in target;
static const char *host;
static int direct, epoll, connections, warm;
static long long size;
static const char *body, *type, *upload;
static size_t body_size;
static SSL_CTX *context;
static char buffer[BUFFER];
static long finished, histogram[BUCKETS + 1];
static double longest, last_end;
static long long body_bytes;

static double now(clockid_t clock) {
    struct timespec moment;
    clock_gettime(clock, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

static int posts(void) { return mode == UP || (mode == KEEP && body); }

/* Write what this flow will send: its CONNECT and its request. */
static void compose(Flow *flow, const char *name) {
    char path[64] = "/v1/things?limit=3", length[96] = "";
    if (mode == DOWN || mode == SLOW) snprintf(path, sizeof path, "/v1/%s/%lld", type ? type : "bytes", size);
    if (posts())
        snprintf(length, sizeof length, "Content-Type: %s\r\nContent-Length: %lld\r\n", type ? type : "text/plain",
                 size);
    snprintf(flow->ask, sizeof flow->ask, "CONNECT %s:443 HTTP/1.1\r\nHost: %s:443\r\n\r\n", name, name);
    snprintf(flow->request, sizeof flow->request,
             "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load/1.0\r\nAccept: application/json\r\n"
             "Accept-Encoding: gzip, deflate\r\nX-Request-Id: 0123456789abcdef\r\n"
             "Authorization: Bearer placeholder\r\n%s\r\n",
             posts() ? "POST" : "GET", path, name, length);
}

static void open_flow(Flow *flow) {
    char name[256];
    if (mode == NAMES) snprintf(name, sizeof name, "n%ld.%s", flow->done, host);
    else snprintf(name, sizeof name, "%s", host);
    compose(flow, name);
    flow->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(flow->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (mode == SLOW) setsockopt(flow->fd, SOL_SOCKET, SO_RCVBUF, &(int){SLOW_READ}, sizeof(int));
    if (connect(flow->fd, (struct sockaddr *)&target, sizeof target) && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    flow->ssl = SSL_new(context);
    SSL_set_fd(flow->ssl, flow->fd);
    SSL_set_tlsext_host_name(flow->ssl, name);
    SSL_set1_host(flow->ssl, name);
    flow->state = CONNECTING;
    flow->sent = flow->head_used = 0;
    flow->started = now(CLOCK_MONOTONIC);
    watch(epoll, EPOLL_CTL_ADD, flow->fd, EPOLLIN | EPOLLOUT | EPOLLET, flow);
}

static void close_flow(Flow *flow) {
    SSL_shutdown(flow->ssl);
    SSL_free(flow->ssl);
    close(flow->fd);
    flow->ssl = NULL;
}

static void begin_request(Flow *flow) {
    flow->state = SENDING;
    flow->sent = flow->head_used = 0;
    flow->body_left = -1;
    flow->chunked = flow->chunk_ends = flow->last_chunk = flow->over = 0;
    flow->chunk_left = 0, flow->line_used = 0;
    flow->upload_left = posts() ? size : 0;
    if (mode != FRESH && mode != NAMES) flow->started = now(CLOCK_MONOTONIC);
}

static void end_request(Flow *flow) {
    last_end = now(CLOCK_MONOTONIC);
    double took = last_end - flow->started;
    long bucket = (long)(took * 1e6);
    histogram[bucket < BUCKETS ? bucket : BUCKETS]++;
    if (took > longest) longest = took;
    finished++;
    flow->done++;
    if (mode == KEEP) {
        begin_request(flow);
    } else {
        close_flow(flow);
        if (mode == FRESH || (mode == NAMES && finished < size)) open_flow(flow);
    }
}

/* The head in flow->head is whole: check it and find the length of the body. */
static void read_head(Flow *flow, char *end) {
    *end = 0;
    const char *length = strcasestr(flow->head, "\r\ncontent-length:");
    flow->chunked = strcasestr(flow->head, "\r\ntransfer-encoding: chunked") != NULL;
    const char *status = mode == NAMES ? "HTTP/1.1 403" : "HTTP/1.1 200";
    if (strncmp(flow->head, status, 12) || !(length || flow->chunked)) die("unexpected answer: %s", flow->head);
    long long wanted = mode == DOWN || mode == SLOW ? size : 512;
    flow->body_left = flow->chunked ? wanted : atoll(length + 17);
    if (mode != NAMES && flow->body_left != wanted) die("an answer of %lld bytes, not %lld", flow->body_left, wanted);
}

/* Count length bytes of the body: its own, or those of its chunks (RFC 9112 section 7.1, without trailers). */
static void take_body(Flow *flow, const char *data, long long length) {
    if (!flow->chunked) {
        flow->body_left -= length;
        flow->over = flow->body_left == 0;
        return;
    }
    while (length > 0) {
        long long take = 1;
        if (flow->chunk_left) {
            take = length < flow->chunk_left ? length : flow->chunk_left;
            flow->body_left -= take;
            if (!(flow->chunk_left -= take)) flow->chunk_ends = 2;
        } else if (flow->chunk_ends) {
            flow->over = !--flow->chunk_ends && flow->last_chunk;
        } else if (*data == '\n') {
            flow->line[flow->line_used] = 0, flow->line_used = 0;
            flow->chunk_left = strtoll(flow->line, NULL, 16);
            if (!flow->chunk_left) flow->last_chunk = 1, flow->chunk_ends = 2;
        } else if (flow->line_used < sizeof flow->line - 1) {
            flow->line[flow->line_used++] = *data;
        }
        data += take, length -= take;
    }
    if (flow->over && flow->body_left) die("%lld bytes less than the body", flow->body_left);
}

static int send_some(Flow *flow) {
    size_t whole = strlen(flow->request);
    int got;
    if (flow->sent < whole) {
        got = SSL_write(flow->ssl, flow->request + flow->sent, (int)(whole - flow->sent));
        if (got > 0) flow->sent += (size_t)got;
    } else {
        size_t at = (size_t)(size - flow->upload_left) % body_size, rest = body_size - at;
        int take = flow->upload_left < 16384 ? (int)flow->upload_left : 16384;
        got = SSL_write(flow->ssl, upload + at, take < (int)rest ? take : (int)rest);
        if (got > 0) flow->upload_left -= got, body_bytes += got;
    }
    if (got > 0 && flow->sent == whole && !flow->upload_left) flow->state = READING;
    return got;
}

static int read_some(Flow *flow) {
    int head = flow->body_left < 0;
    char *place = head ? flow->head + flow->head_used : buffer;
    int room = head ? (int)(sizeof flow->head - 1 - flow->head_used) : mode == SLOW ? SLOW_READ : BUFFER;
    int got = SSL_read(flow->ssl, place, room);
    if (got <= 0) return got;
    long long part = got;
    if (head) {
        flow->head_used += (size_t)got;
        flow->head[flow->head_used] = 0;
        char *end = strstr(flow->head, "\r\n\r\n");
        if (!end && flow->head_used == sizeof flow->head - 1) die("an endless head");
        if (!end) return got;
        part = flow->head + flow->head_used - (end + 4);
        read_head(flow, end);
    }
    take_body(flow, place + got - part, part);
    if (!posts()) body_bytes += part;
    if (flow->body_left < 0) die("more than the body");
    if (flow->over) end_request(flow);
    return got;
}

/* 1: go on, 0: wait for the socket. */
static int step(Flow *flow) {
    ssize_t got;
    int slow = 0;
    switch (flow->state) {
    case CONNECTING:
        flow->state = direct ? SHAKING : ASKING;
        return 1;
    case ASKING:
        got = send(flow->fd, flow->ask, strlen(flow->ask), MSG_NOSIGNAL);
        if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) return 0;
        if (got != (ssize_t)strlen(flow->ask)) die("CONNECT could not be sent: %s", strerror(errno));
        flow->state = TUNNEL;
        return 1;
    case TUNNEL:
        got = recv(flow->fd, flow->head + flow->head_used, sizeof flow->head - 1 - flow->head_used, 0);
        if (got < 0 && errno == EAGAIN) return 0;
        if (got <= 0) die("the proxy closed at CONNECT");
        flow->head_used += (size_t)got;
        flow->head[flow->head_used] = 0;
        if (strstr(flow->head, "\r\n\r\n")) {
            if (strncmp(flow->head, "HTTP/1.", 7) || strncmp(flow->head + 8, " 200", 4)) die("CONNECT: %s", flow->head);
            flow->state = SHAKING;
        }
        return 1;
    case SHAKING:
        if ((got = SSL_connect(flow->ssl)) == 1) return begin_request(flow), 1;
        break;
    case SENDING:
        if ((got = send_some(flow)) > 0) return 1;
        break;
    case READING:
        got = read_some(flow);
        slow = mode == SLOW;
        if (got > 0) return flow->ssl && !slow;
        break;
    default: die("no such state");
    }
    if (!wants(flow->ssl, (int)got)) die("the connection ended early, in state %d", flow->state);
    return 0;
}

static int ready(Flow *flows) {
    for (int i = 0; i < connections; i++)
        if (flows[i].done < (mode == KEEP ? WARM_EACH : 1)) return 0;
    return 1;
}

static double percentile(double part) {
    long seen = 0;
    for (long i = 0; i <= BUCKETS; i++)
        if ((seen += histogram[i]) >= (long)((double)finished * part + 0.999)) return (double)i;
    return 0;
}

static void run(Flow *flows, double seconds) {
    double started = 0, until = 0, cpu = 0;
    int measured = 0;
    for (int i = 0; i < connections; i++) open_flow(&flows[i]);
    for (;;) {
        if (!measured && (warm || ready(flows))) {
            puts("warm");
            fflush(stdout);
            if (getchar() == EOF) exit(1);
            memset(histogram, 0, sizeof histogram);
            finished = 0, longest = 0, body_bytes = 0, measured = 1;
            started = last_end = now(CLOCK_MONOTONIC);
            until = started + seconds;
            cpu = now(CLOCK_PROCESS_CPUTIME_ID);
            /* What was asked before the wait is not to be timed with it. */
            for (int i = 0; i < connections; i++) flows[i].started = started;
        }
        struct epoll_event events[64];
        int count = 0;
        if (mode == SLOW) {
            usleep(SLOW_PAUSE_US);
            step(&flows[0]);
        } else {
            count = epoll_wait(epoll, events, 64, SILENT_MS);
            if (count == 0) die("silence for %d ms", SILENT_MS);
        }
        for (int i = 0; i < count; i++)
            while (step(events[i].data.ptr)) {}
        double moment = now(CLOCK_MONOTONIC);
        int counted = mode == DOWN || mode == UP || mode == NAMES;
        if (counted ? finished == (mode == NAMES ? size : connections) : measured && moment >= until) {
            cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
            printf("{\"done\": %ld, \"seconds\": %.6f, \"bytes\": %lld, \"cpu_s\": %.6f, \"p50_us\": %.0f, "
                   "\"p99_us\": %.0f, \"max_us\": %.0f}\n",
                   finished, (mode == SLOW ? moment : last_end) - started, body_bytes, cpu, percentile(0.5),
                   percentile(0.99), longest * 1e6);
            exit(0);
        }
    }
}

int main(int argc, char **argv) {
    static const char *modes[] = {"keep", "fresh", "down", "up", "slow", "names"};
    if (argc != 9 && argc != 11) die("usage: load MODE ADDRESS PORT HOST CA CONNECTIONS SECONDS SIZE [BODY TYPE]");
    int found = 0;
    while (found < 6 && strcmp(modes[found], argv[1])) found++;
    if (found == 6) die("no such mode: %s", argv[1]);
    mode = (Mode)found;
    direct = argv[3][0] == '=';
    target = endpoint(argv[2], atoi(argv[3] + direct));
    host = argv[4];
    connections = mode == SLOW || mode == NAMES ? 1 : atoi(argv[6]);
    size = atoll(argv[8]);
    warm = mode != KEEP && mode != FRESH;
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_load_verify_locations(context, argv[5], NULL) != 1) die("cannot read %s", argv[5]);
    static char filler[BUFFER];
    memset(filler, 'x', sizeof filler);
    body_size = sizeof filler;
    if (argc == 11) body = contents(argv[9], &body_size), type = argv[10];
    upload = body ? body : filler;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    Flow *flows = calloc((size_t)connections, sizeof *flows);
    if (!flows || epoll < 0) die("out of memory");
    run(flows, atof(argv[7]));
}
