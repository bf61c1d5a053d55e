/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* unshare, setns */
#include "two-networks.h"
#include "../faults/invariants.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define WIRE "wire" /* its ends' name, on both sides */

/* Of the namespaces; open until the program ends. */
static gint networks[2];

/* ---- commands ---- */

/* In the child: it runs in that network, and finds the other one among its descriptors. */
static void
move_child (gpointer side)
{
  if (fcntl (networks[THEIRS], F_SETFD, 0) != 0 ||
      setns (networks[GPOINTER_TO_INT (side)], CLONE_NEWNET) != 0)
    _exit (1);
}

/* What is wrong with it, in a line; NULL: it was done. */
static gchar *
try_command (Side side, const gchar *command)
{
  g_auto (GStrv) argv = NULL;
  g_autofree gchar *out = NULL, *said = NULL;
  g_autoptr (GError) error = NULL;
  gint status;

  if (!g_shell_parse_argv (command, NULL, &argv, &error) ||
      !g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, move_child, GINT_TO_POINTER (side),
          &out, &said, &status, &error))
    return g_strdup (error->message);
  return status == 0 ? NULL : g_strndup (said, strcspn (said, "\n"));
}

static void run (Side side, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static void
run (Side side, const gchar *format, ...)
{
  g_autofree gchar *command = NULL, *wrong = NULL;
  va_list values;

  va_start (values, format);
  command = g_strdup_vprintf (format, values);
  va_end (values);
  wrong = try_command (side, command);
  if (wrong)
    g_error ("%s: %s", command, wrong);
}

/* ---- the networks ---- */

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

  return unshare (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0 &&
         write_file ("/proc/self/setgroups", "deny") && write_file ("/proc/self/uid_map", users) &&
         write_file ("/proc/self/gid_map", groups);
}

static gint
open_own_network (void)
{
  return open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* What is mounted from here on is seen by this program alone. */
static gboolean
make_networks (void)
{
  if (unshare (CLONE_NEWNET | CLONE_NEWNS) != 0 && !become_root_of_a_namespace ())
    return FALSE;
  networks[OURS] = open_own_network ();
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || unshare (CLONE_NEWNET) != 0)
    return FALSE;
  networks[THEIRS] = open_own_network ();
  return setns (networks[OURS], CLONE_NEWNET) == 0;
}

/* Before the program's first thread, as namespaces are a thread's own. Why that cannot be; NULL: it
 * is so. */
static gchar *
enter_networks (void)
{
  static const gchar *const needed[] = { "ip link set lo up", "nft flush ruleset",
    "ip link add try type veth peer name try-peer", "ip link delete try" };
  g_autofree gchar *path = g_strconcat (g_getenv ("PATH"), ":/usr/sbin:/sbin", NULL);

  if (!make_networks ())
    return g_strdup_printf ("no networks of its own: %s", g_strerror (errno));
  g_setenv ("PATH", path, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (needed); i++) {
    g_autofree gchar *wrong = try_command (OURS, needed[i]);

    if (wrong)
      return g_strdup_printf ("no networks of its own: %s: %s", needed[i], wrong);
  }
  return NULL;
}

void
networks_call_there (NetworksFunc func, gpointer data)
{
  g_assert_cmpint (setns (networks[THEIRS], CLONE_NEWNET), ==, 0);
  func (data);
  g_assert_cmpint (setns (networks[OURS], CLONE_NEWNET), ==, 0);
}

/* ---- the wire ---- */

void
networks_disconnect (void)
{
  if (if_nametoindex (WIRE) != 0)
    run (OURS, "ip link delete " WIRE);
}

static void
set_up (Side side, const gchar *address)
{
  run (side, "ip address add %s/24 dev " WIRE, address);
  run (side, "ip link set " WIRE " gso_max_segs 1 up");
}

void
networks_connect (const gchar *our_address)
{
  networks_disconnect ();
  for (Side side = OURS; side <= THEIRS; side++)
    networks_unfilter (side);
  run (OURS, "ip link add " WIRE " type veth peer name " WIRE " netns /proc/self/fd/%d",
      networks[THEIRS]);
  set_up (THEIRS, THEIR_ADDRESS);
  set_up (OURS, our_address);
}

/* ---- what happens to it ---- */

#define TABLE                                                                                      \
  "add table inet t; add chain inet t in { type filter hook input priority 0; }; "                 \
  "add rule inet t in iifname " WIRE " "

void
networks_filter (Side side, const gchar *rule)
{
  run (side, "nft '" TABLE "%s'", rule);
}

void
networks_unfilter (Side side)
{
  run (side, "nft flush ruleset");
}

void
networks_shape (Side side, const gchar *discipline)
{
  run (side, "tc qdisc replace dev " WIRE " root %s", discipline);
}

typedef struct {
  const gchar *name, *value;
} Setting;

static void
set (gpointer data)
{
  const Setting *setting = data;
  g_autofree gchar *path = g_build_filename ("/proc/sys/net", setting->name, NULL);

  if (!write_file (path, setting->value))
    g_error ("%s cannot be set: %s", path, g_strerror (errno));
}

void
networks_set (Side side, const gchar *name, const gchar *value)
{
  Setting setting = { name, value };

  if (side == THEIRS)
    networks_call_there (set, &setting);
  else
    set (&setting);
}

guint64
networks_count (const gchar *name)
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
  while (!g_str_equal (names[i], name))
    i++;
  return g_ascii_strtoull (values[i], NULL, 10);
}

/* Whether that can be done at all; then it is undone. Between two tests. */
static gboolean
can (const gchar *what, const gchar *command, const gchar *undo)
{
  g_autofree gchar *wrong = try_command (OURS, command);
  g_autofree gchar *reason = g_strdup_printf ("this kernel lacks \"%s\": %s", what, wrong);

  if (wrong)
    g_test_skip (reason);
  else
    run (OURS, "%s", undo);
  return wrong == NULL;
}

gboolean
networks_can_filter (const gchar *rule)
{
  g_autofree gchar *command = g_strdup_printf ("nft '" TABLE "%s'", rule);

  return can (rule, command, "nft flush ruleset");
}

gboolean
networks_can_shape (const gchar *discipline)
{
  g_autofree gchar *command = g_strdup_printf ("tc qdisc add dev lo root %s", discipline);

  return can (discipline, command, "tc qdisc delete dev lo root");
}

/* ---- a program of such tests ---- */

static void
skip (gconstpointer reason)
{
  g_test_skip (reason);
}

int
networks_run_tests (int argc, char **argv, const NetworksTest *tests, guint n)
{
  g_autofree gchar *reason = enter_networks ();

  if (reason)
    g_test_init (&argc, &argv, NULL);
  else
    invariants_init (&argc, &argv);
  for (guint i = 0; i < n; i++) {
    if (reason)
      g_test_add_data_func (tests[i].path, reason, skip);
    else
      g_test_add_func (tests[i].path, tests[i].func);
  }
  return g_test_run ();
}
