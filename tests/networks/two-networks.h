/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two networks with a wire between them, made by the test itself: the program lives in one, with
 * the element; in the other the tests' server listens. A kernel's own TCP meets there what a
 * network may do by itself.
 *
 * It needs to be root, or a kernel where each user may make namespaces, and iproute2 and nftables.
 * The networks end with the program, however that ends. All functions are for the test's main
 * thread; a command that fails ends the test. */
#pragma once

#include "../server/server.h"

G_BEGIN_DECLS

/* Addresses of the two ends, from the block that is kept for documentation; one end may move. */
#define OUR_ADDRESS "192.0.2.1"
#define OUR_NEXT_ADDRESS "192.0.2.3"
#define THEIR_ADDRESS "192.0.2.2"

typedef enum { OURS, THEIRS } Side;

/* A new wire between networks without rules, and our address on it; the old wire goes. Packets are
 * no longer than 1500 bytes, each by itself. */
void networks_connect (const gchar *our_address);
/* Pulls the wire out: both ends are gone, with their addresses. */
void networks_disconnect (void);

/* From now on what comes in there is treated by this rule of nftables, such as "drop", beside the
 * others; and by none. */
void networks_filter (Side side, const gchar *rule);
void networks_unfilter (Side side);
/* What goes out there, over the wire, passes a queueing discipline of tc. */
void networks_shape (Side side, const gchar *discipline);
/* A file below /proc/sys/net. */
void networks_set (Side side, const gchar *name, const gchar *value);

/* What TCP counted in our network so far, as /proc/net/snmp names it. */
guint64 networks_count (const gchar *name);

/* For the beginning of a test: whether this kernel knows such a rule, such a discipline. Else the
 * test is skipped, and says what is lacking. */
gboolean networks_can_filter (const gchar *rule);
gboolean networks_can_shape (const gchar *discipline);

/* Calls @func in their network: sockets and threads that it makes belong there. */
typedef void (*NetworksFunc) (gpointer data);
void networks_call_there (NetworksFunc func, gpointer data);

/* What a program's main() does: makes the networks before its first thread and runs the tests, or
 * skips all of them and says why. */
typedef struct {
  const gchar *path;
  void (*func) (void);
} NetworksTest;

#define NETWORKS_TEST(theme, name) { "/" theme "/" #name, test_##name }

int networks_run_tests (int argc, char **argv, const NetworksTest *tests, guint n);

G_END_DECLS
