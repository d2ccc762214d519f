// Fetches one URL by HTTP as many clients at once, once each; one thread, every byte read and counted.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct client {
  int fd;
  char head[4096];
  size_t head_length;
  long left; // of the body; -1: the head is not complete yet
};

static char buffer[256 << 10];
static long completed, failed;
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

// Bytes of the body that came with the head; -1: more head is to come; -2: not a good answer.
static long read_head(struct client *c, size_t length) {
  size_t room = sizeof c->head - 1 - c->head_length, taken = length < room ? length : room;
  memcpy(c->head + c->head_length, buffer, taken);
  c->head_length += taken;
  c->head[c->head_length] = 0;
  char *end = strstr(c->head, "\r\n\r\n"), *size = strcasestr(c->head, "\r\nContent-Length:");
  if (!end) return c->head_length < sizeof c->head - 1 ? -1 : -2;
  if (!size || size > end || strncmp(c->head + 9, "200", 3)) return -2;
  c->left = atol(size + 17);
  return length - (end + 4 - c->head - (c->head_length - taken));
}

// Returns 1 when the client is done.
static int receive(struct client *c) {
  for (int i = 0; i < 8; i++) {
    ssize_t length = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (length <= 0) return failed++, 1;
    if (c->left < 0) {
      length = read_head(c, length);
      if (length == -2) return failed++, 1;
      if (length == -1) continue;
    }
    c->left -= length;
    total_bytes += length;
    if (c->left > 0) continue;
    if (c->left < 0) failed++;
    else completed++;
    return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "usage: http ADDRESS PORT PATH CLIENTS\n"), 2;
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &server.sin_addr);
  int clients = atoi(argv[4]), alive = clients, epoll_fd = epoll_create1(0);
  struct client *all = calloc(clients, sizeof *all);
  double began = now();
  for (int i = 0; i < clients; i++) {
    struct client *c = &all[i];
    c->left = -1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server) < 0) fatal("connect");
    char request[1024];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n", argv[3]);
    if (send(c->fd, request, length, 0) != length) fatal("send");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0) fatal("epoll_ctl");
  }
  while (alive > 0) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll_fd, events, 64, -1);
    for (int i = 0; i < count; i++) {
      struct client *c = events[i].data.ptr;
      if (!receive(c)) continue;
      close(c->fd);
      alive--;
    }
  }
  double seconds = now() - began;
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("{\"seconds\":%.4f,\"bytes\":%zu,\"completed\":%ld,\"failed\":%ld,\"cpuSeconds\":%.4f}\n", seconds, total_bytes,
         completed, failed, cpu);
  return 0;
}
