/*
 * A learning Ethernet switch that holds every frame for a fixed time: delay MICROSECONDS INTERFACE...
 * The delay is constant, so frames leave in the order they came and one queue is enough. Frames travel with their
 * virtio header, so that unfinished checksums and segments are finished by the kernel on the way out.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { PORTS = 64, QUEUE = 1 << 16, FRAME = 1 << 17, BURST = 64 };

struct frame {
  uint64_t due;
  int from;
  size_t size;
  unsigned char *bytes; /* virtio header, then the frame */
};

static struct pollfd port[PORTS];
static unsigned char station[PORTS][ETH_ALEN]; /* the last sender seen on each port */
static int ports;
static struct frame queue[QUEUE];
static unsigned head, tail; /* next to leave, next free */

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void plug(const char *name) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL)), on = 1, buffer = 16 << 20;
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  struct packet_mreq all = {.mr_type = PACKET_MR_PROMISC};
  at.sll_ifindex = all.mr_ifindex = if_nametoindex(name);
  if (fd < 0 || !at.sll_ifindex || ports == PORTS) fail(name);
  if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on)) fail("PACKET_VNET_HDR");
  if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on)) fail("PACKET_IGNORE_OUTGOING");
  if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all)) fail("PACKET_ADD_MEMBERSHIP");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
  if (bind(fd, (struct sockaddr *)&at, sizeof at)) fail(name);
  port[ports++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void deliver(struct frame *frame) {
  unsigned char *to = frame->bytes + sizeof(struct virtio_net_hdr);
  int known = -1;
  for (int i = 0; i < ports && !(to[0] & 1); i++)
    if (!memcmp(station[i], to, ETH_ALEN)) known = i;
  for (int i = 0; i < ports; i++)
    if (i != frame->from && (known < 0 || i == known))
      if (send(port[i].fd, frame->bytes, frame->size, 0) < 0) perror("frame lost");
  free(frame->bytes);
}

static void receive(int from, uint64_t hold) {
  static unsigned char bytes[FRAME];
  for (int i = 0; i < BURST; i++) {
    ssize_t size = recv(port[from].fd, bytes, sizeof bytes, 0);
    if (size < (ssize_t)(sizeof(struct virtio_net_hdr) + ETH_HLEN)) return;
    memcpy(station[from], bytes + sizeof(struct virtio_net_hdr) + ETH_ALEN, ETH_ALEN);
    unsigned char *copy = tail - head < QUEUE ? malloc(size) : NULL;
    if (!copy) continue; /* full: a switch drops */
    memcpy(copy, bytes, size);
    queue[tail++ % QUEUE] = (struct frame){now() + hold, from, size, copy};
  }
}

int main(int count, char **words) {
  if (count < 4) return fprintf(stderr, "delay MICROSECONDS INTERFACE INTERFACE...\n"), 2;
  uint64_t hold = strtoull(words[1], NULL, 10);
  for (int i = 2; i < count; i++) plug(words[i]);
  puts("{\"event\":\"ready\"}");
  fflush(stdout);
  for (;;) {
    while (head != tail && queue[head % QUEUE].due <= now()) deliver(&queue[head++ % QUEUE]);
    uint64_t time = now(), due = head == tail ? time + 1000000 : queue[head % QUEUE].due;
    uint64_t wait = due > time ? due - time : 0;
    struct timespec sleep = {wait / 1000000, wait % 1000000 * 1000};
    if (ppoll(port, ports, &sleep, NULL) < 1) continue;
    for (int i = 0; i < ports; i++)
      if (port[i].revents & (POLLIN | POLLERR)) receive(i, hold); /* an error, a pulled cable, is over once it is read */
  }
}
