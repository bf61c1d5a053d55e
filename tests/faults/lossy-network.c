/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network that loses a tenth of all packets, both ways. Only a kernel's own TCP can show what
 * comes of that, so this program has a network of its own, with nothing but loopback, where
 * nftables drops packets at random. It needs to be root, or a kernel where each user may make
 * namespaces; else, or without nftables, it skips its tests and says why. */
#define _GNU_SOURCE /* unshare */
#include "peer-fixture.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- a network of its own ---- */

static gboolean
write_file (const gchar *path, const gchar *text)
{
  FILE *file = fopen (path, "w");
  gboolean written = file && fputs (text, file) >= 0;

  return file && fclose (file) == 0 && written;
}

/* Whoever is not root is root in a namespace of users. */
static gboolean
become_root_of_a_namespace (void)
{
  g_autofree gchar *users = g_strdup_printf ("0 %u 1", getuid ());
  g_autofree gchar *groups = g_strdup_printf ("0 %u 1", getgid ());

  return unshare (CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
         write_file ("/proc/self/setgroups", "deny") && write_file ("/proc/self/uid_map", users) &&
         write_file ("/proc/self/gid_map", groups);
}

static gboolean
bring_loopback_up (void)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
  int fd = socket (AF_INET, SOCK_DGRAM, 0);
  gboolean up = ioctl (fd, SIOCSIFFLAGS, &request) == 0;

  return close (fd) == 0 && up;
}

/* On loopback each packet comes in once, whichever way it goes. */
#define RULES                                                                                      \
  "add table inet t; "                                                                             \
  "add chain inet t in { type filter hook input priority 0; }; "                                   \
  "add rule inet t in numgen random mod 10 0 drop"

/* Why that cannot be; NULL: it is so. */
static gchar *
lose_a_tenth (void)
{
  g_autofree gchar *found = g_find_program_in_path ("nft");
  const gchar *argv[] = { found ? found : "/usr/sbin/nft", RULES, NULL };
  g_autofree gchar *out = NULL, *said = NULL;
  g_autoptr (GError) error = NULL;
  gint status;

  if (!g_spawn_sync (
          NULL, (gchar **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &said, &status, &error))
    return g_strdup_printf ("the package nftables is not installed: %s", error->message);
  return status == 0 ? NULL : g_strdup_printf ("nftables cannot drop packets here: %s", said);
}

/* Before the first thread, as namespaces are a thread's own. */
static gchar *
enter_lossy_network (void)
{
  if (unshare (CLONE_NEWNET) != 0 && !become_root_of_a_namespace ())
    return g_strdup_printf ("no network of its own: %s", g_strerror (errno));
  if (!bring_loopback_up ())
    return g_strdup_printf ("no loopback of its own: %s", g_strerror (errno));
  return lose_a_tenth ();
}

/* Packets that TCP sent again, in this network. */
static guint64
count_repeated_packets (void)
{
  g_autofree gchar *text = NULL;
  g_auto (GStrv) names = NULL, values = NULL;
  const gchar *first, *second;
  guint i = 0;

  g_file_get_contents ("/proc/thread-self/net/snmp", &text, NULL, NULL);
  first = strstr (text, "Tcp: ");
  second = strstr (first + 1, "Tcp: ");
  names = g_strsplit_set (first, " \n", 64);
  values = g_strsplit_set (second, " \n", 64);
  while (!g_str_equal (names[i], "RetransSegs"))
    i++;
  return g_ascii_strtoull (values[i], NULL, 10);
}

/* ---- tests ---- */

#define PACKETS 8 /* to be lost in each test, at least */

/* Whatever had to go again below, above nothing was lost: one connection, no word. Results that a
 * lost packet held up come at once, and then those of a camera may give way to newer ones. */
static void
check_all_was_answered (PeerFixture *p)
{
  g_test_message ("%u frames sent", (guint) fixture_stat (p->f, "frames-sent"));
  g_assert_cmpuint (fixture_stat (p->f, "answered"), ==, fixture_stat (p->f, "frames-sent"));
  g_assert_cmpuint (invariants_get_good (p->invariants) + fixture_stat (p->f, "results-late"), ==,
      fixture_stat (p->f, "frames-sent"));
  g_assert_cmpuint (fixture_stat (p->f, "requests-repeated"), ==, 0);
  g_assert_cmpuint (peer_get_connections (p->peer), ==, 1);
  fixture_expect_no_message (p->f);
}

/* Frames until enough packets were lost; how many. */
static guint
push_until_loss (PeerFixture *p)
{
  guint64 wanted = count_repeated_packets () + PACKETS;
  guint n = 0;

  REPEAT_UNTIL (p->f->element, count_repeated_packets () >= wanted,
      fixture_push (p->f, invariants_make_frame (n++)));
  fixture_push_end (p->f);
  peer_fixture_wait_for_end (p);
  return n;
}

static void
test_every_frame_of_a_file_is_answered (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, "max-in-flight=4", FALSE);
  guint frames = push_until_loss (p);

  g_assert_cmpuint (fixture_stat (p->f, "frames-sent"), ==, frames);
  check_all_was_answered (p);
}

static void
test_every_frame_of_a_camera_that_was_sent_is_answered (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, NULL, TRUE);
  guint frames = push_until_loss (p);

  g_assert_cmpuint (invariants_get_newest (p->invariants), ==, frames - 1);
  check_all_was_answered (p);
}

static void
skip (gconstpointer reason)
{
  g_test_skip (reason);
}

static const struct {
  const gchar *path;
  GTestFunc func;
} tests[] = {
#define TEST(name)                                                                                 \
  {                                                                                                \
    "/lossy-network/" #name, test_##name                                                           \
  }
  TEST (every_frame_of_a_file_is_answered),
  TEST (every_frame_of_a_camera_that_was_sent_is_answered),
};

int
main (int argc, char **argv)
{
  g_autofree gchar *reason = enter_lossy_network ();

  if (reason)
    g_test_init (&argc, &argv, NULL);
  else
    invariants_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
    if (reason)
      g_test_add_data_func (tests[i].path, reason, skip);
    else
      g_test_add_func (tests[i].path, tests[i].func);
  }
  return g_test_run ();
}
