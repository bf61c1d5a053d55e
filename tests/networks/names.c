/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server's name does not resolve for a while: its name server says that there is no such name,
 * or is not reached. */
#include "far-server.h"
#include "name-server.h"

#define HOST "model.example" /* of a domain that is kept for documentation */
#define DROP_QUESTIONS "udp dport 53 drop"

typedef struct {
  NameServer *names;
  FarServer *far;
} NamedServer;

static void
start_name_server (gpointer data)
{
  NameServer **names = data;

  *names = name_server_new (THEIR_ADDRESS);
}

static NamedServer *
named_server_new (void)
{
  NamedServer *named = g_new0 (NamedServer, 1);

  networks_call_there (start_name_server, &named->names);
  named->far = far_server_new (HOST, NULL, TRUE);
  return named;
}

static void
named_server_free (NamedServer *named)
{
  far_server_free (named->far);
  name_server_free (named->names);
  g_free (named);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NamedServer, named_server_free)

static gboolean
can_have_names (void)
{
  static gboolean asked;
  g_autofree gchar *wrong = asked ? NULL : name_server_be_asked (THEIR_ADDRESS);

  asked = wrong == NULL;
  if (wrong)
    g_test_skip (wrong);
  return asked;
}

/* The name is gone already. That does not touch a connection that stands, but when it is lost, it
 * is in vain that the name is asked for. All that is told is the loss. */
static void
lose_connection (NamedServer *named)
{
  FarServer *far = named->far;
  Camera *camera = &far->camera;

  camera_push_until_results (camera, 3);
  fixture_expect_no_message (camera->f);
  fal_server_close (far->server, 0, NULL);
  camera_push_until_warning (camera, "the connection was lost");
  camera_push_for (camera, 2000);
  fixture_expect_no_message (camera->f);
  g_assert_cmpuint (fixture_stat (camera->f, "connections"), ==, 1);
}

static void
test_a_name_that_is_gone_and_comes_back (void)
{
  g_autoptr (NamedServer) named = NULL;
  guint questions;

  if (!can_have_names ())
    return;
  named = named_server_new ();
  camera_push_until_results (&named->far->camera, 3);
  name_server_set_known (named->names, FALSE);
  questions = name_server_get_questions (named->names);
  lose_connection (named);
  g_assert_cmpuint (name_server_get_questions (named->names), >, questions);
  name_server_set_known (named->names, TRUE);
  far_server_expect_results (named->far, SOON);
}

/* Who asks waits a second for an answer, so much longer it may take. */
static void
test_a_name_server_that_is_gone_and_comes_back (void)
{
  g_autoptr (NamedServer) named = NULL;

  if (!can_have_names () || !networks_can_filter (DROP_QUESTIONS))
    return;
  named = named_server_new ();
  camera_push_until_results (&named->far->camera, 3);
  networks_filter (THEIRS, DROP_QUESTIONS);
  lose_connection (named);
  networks_unfilter (THEIRS);
  far_server_expect_results (named->far, NAME_SERVER_PATIENCE * G_USEC_PER_SEC + SOON);
}

/* As where a machine starts before its network. A name that does not exist is an ERROR then, but
 * nobody said that. */
static void
test_a_name_server_that_comes_later_than_the_stream (void)
{
  g_autoptr (NamedServer) named = NULL;

  if (!can_have_names () || !networks_can_filter (DROP_QUESTIONS))
    return;
  named = named_server_new ();
  networks_filter (THEIRS, DROP_QUESTIONS);
  camera_push_until_warning (&named->far->camera, "Check base-uri and the network");
  networks_unfilter (THEIRS);
  far_server_expect_results (named->far, NAME_SERVER_PATIENCE * G_USEC_PER_SEC + SOON);
}

int
main (int argc, char **argv)
{
  static const NetworksTest tests[] = {
    NETWORKS_TEST ("names", a_name_that_is_gone_and_comes_back),
    NETWORKS_TEST ("names", a_name_server_that_is_gone_and_comes_back),
    NETWORKS_TEST ("names", a_name_server_that_comes_later_than_the_stream),
  };

  return networks_run_tests (argc, argv, tests, G_N_ELEMENTS (tests));
}
