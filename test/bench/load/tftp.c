// Reads one file by TFTP as many clients at once; one thread, one socket a transfer, every byte compared.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { request_tries = 6, timeout_ms = 1000 };

struct transfer {
  int fd, connected, tries, windowed, gap_told;
  uint32_t have, window;
  size_t got, block_size;
  double deadline;
};

static const char *name;
static struct sockaddr_in server;
static const uint8_t *wanted;
static size_t wanted_size;
static int want_block, want_window, epoll_fd;
static long started, completed, failed, retransmitted, wrong;
static size_t total_bytes;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void fatal(const char *what) {
  perror(what);
  exit(1);
}

static void send_request(struct transfer *t) {
  char packet[512];
  int length = 2;
  packet[0] = 0;
  packet[1] = 1;
  length += sprintf(packet + length, "%s", name) + 1;
  length += sprintf(packet + length, "octet") + 1;
  length += sprintf(packet + length, "blksize") + 1;
  length += sprintf(packet + length, "%d", want_block) + 1;
  if (want_window > 1) {
    length += sprintf(packet + length, "windowsize") + 1;
    length += sprintf(packet + length, "%d", want_window) + 1;
  }
  sendto(t->fd, packet, length, 0, (struct sockaddr *)&server, sizeof server);
}

static void send_ack(struct transfer *t) {
  uint8_t packet[4] = {0, 4, t->have >> 8, t->have};
  send(t->fd, packet, 4, 0);
}

static void start(struct transfer *t) {
  memset(t, 0, sizeof *t);
  t->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (t->fd < 0) fatal("socket");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = t};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, t->fd, &event) < 0) fatal("epoll_ctl");
  t->block_size = 512;
  t->window = 1;
  t->deadline = now() + timeout_ms / 1e3;
  started++;
  send_request(t);
}

static void stop(struct transfer *t) {
  close(t->fd);
  t->fd = -1;
}

static void read_options(struct transfer *t, const char *text, const char *end) {
  while (text < end) {
    const char *value = text + strlen(text) + 1;
    if (value >= end) return;
    if (!strcasecmp(text, "blksize")) t->block_size = atoi(value);
    if (!strcasecmp(text, "windowsize")) t->window = atoi(value);
    text = value + strlen(value) + 1;
  }
}

// Returns 1 when the transfer is over.
static int take(struct transfer *t, uint8_t *packet, ssize_t length) {
  if (length < 4) return 0;
  uint32_t code = packet[2] << 8 | packet[3];
  if (packet[1] == 5) {
    failed++;
    return 1;
  }
  if (packet[1] == 6) {
    packet[length] = 0;
    if (t->have == 0) {
      read_options(t, (char *)packet + 2, (char *)packet + length);
      send_ack(t);
    }
    return 0;
  }
  if (packet[1] != 3) return 0;
  if (code != ((t->have + 1) & 0xffff)) {
    retransmitted++;
    if (t->window > 1 && !t->gap_told) send_ack(t);
    t->gap_told = 1;
    t->windowed = 0;
    return 0;
  }
  size_t size = length - 4;
  if (t->got + size > wanted_size || memcmp(packet + 4, wanted + t->got, size)) wrong++;
  t->have++;
  t->got += size;
  t->tries = 0;
  t->gap_told = 0;
  int last = size < t->block_size;
  if (last || ++t->windowed >= (int)t->window) {
    t->windowed = 0;
    send_ack(t);
  }
  if (!last) return 0;
  if (t->got != wanted_size) wrong++;
  completed++;
  total_bytes += t->got;
  return 1;
}

static int receive(struct transfer *t) {
  static uint8_t packet[65536];
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t length = t->connected ? recv(t->fd, packet, sizeof packet - 1, 0)
                                  : recvfrom(t->fd, packet, sizeof packet - 1, 0, (struct sockaddr *)&from, &size);
    if (length < 0) return 0;
    if (!t->connected) {
      t->connected = 1;
      if (connect(t->fd, (struct sockaddr *)&from, sizeof from) < 0) fatal("connect");
    }
    t->deadline = now() + timeout_ms / 1e3;
    if (take(t, packet, length)) return 1;
    // In lock-step nothing more can have come.
    if (t->window == 1) return 0;
  }
}

// Returns 1 when the transfer is given up.
static int expire(struct transfer *t) {
  if (++t->tries >= request_tries) {
    failed++;
    return 1;
  }
  retransmitted++;
  t->windowed = 0;
  t->deadline = now() + timeout_ms / 1e3 * (1 << t->tries);
  if (t->connected) send_ack(t);
  else send_request(t);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 9) return fprintf(stderr, "usage: load ADDRESS PORT NAME FILE BLOCK WINDOW CLIENTS TRANSFERS\n"), 2;
  server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &server.sin_addr);
  name = argv[3];
  want_block = atoi(argv[5]);
  want_window = atoi(argv[6]);
  int clients = atoi(argv[7]);
  long transfers = atol(argv[8]);
  int file = open(argv[4], O_RDONLY);
  struct stat info;
  if (file < 0 || fstat(file, &info) < 0) fatal(argv[4]);
  wanted_size = info.st_size;
  wanted = mmap(0, wanted_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  epoll_fd = epoll_create1(0);
  struct transfer *all = calloc(clients, sizeof *all);
  double began = now(), checked = began;
  int alive = 0;
  for (int i = 0; i < clients && started < transfers; i++, alive++) start(&all[i]);
  while (alive > 0) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll_fd, events, 64, 50);
    for (int i = 0; i < count; i++) {
      struct transfer *t = events[i].data.ptr;
      if (t->fd < 0 || !receive(t)) continue;
      stop(t);
      if (started < transfers) start(t);
      else alive--;
    }
    double time = now();
    if (time - checked < 0.05) continue;
    checked = time;
    for (int i = 0; i < clients; i++) {
      struct transfer *t = &all[i];
      if (t->fd <= 0 || t->deadline > time || !expire(t)) continue;
      stop(t);
      if (started < transfers) start(t);
      else alive--;
    }
  }
  double seconds = now() - began;
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("{\"seconds\":%.4f,\"bytes\":%zu,\"completed\":%ld,\"failed\":%ld,\"retransmitted\":%ld,\"wrong\":%ld,\"cpuSeconds\":%.4f}\n",
         seconds, total_bytes, completed, failed, retransmitted, wrong, cpu);
  return 0;
}
