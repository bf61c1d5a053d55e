/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A command in place of an effect, played by what every system has: what it answers, how it fails,
 * and that the server goes on meanwhile. */
#include "effects/rgb-image.h"
#include "fixture.h"
#include "sample-picture.h"
#include "websocket-client.h"
#include "fal/wire/value.h"
#include <glib/gstdio.h>
#include <string.h>

#define SIDE 32
#define PICTURE "3085" /* bytes of a P6 of SIDE by SIDE */
/* Answers each picture by the same few bytes. */
#define ANSWER(text)                                                                               \
  "sh -c 'while [ $(head -c " PICTURE " | wc -c) -eq " PICTURE " ]; do printf \"" text "\"; done'"
#define EIGHT(byte) byte byte byte byte byte byte byte byte
/* Neither reads nor answers, and does not look whether the server is still there. */
#define HANG "sleep 1000"

static FalServer *
serve (const gchar *schema, const gchar *command)
{
  return fal_fixture_serve ((FalServerOptions){ .schema = schema, .effect_command = command });
}

static void
send_picture_of (FalWebsocketClient *client, guint width, guint height)
{
  g_autoptr (GBytes) picture = fal_sample_picture_new (width, height, 160);
  g_autoptr (GstStructure) request =
      gst_structure_new ("map", "image_bytes", G_TYPE_BYTES, picture, NULL);

  fal_websocket_client_send (client, request);
}

static void
send_picture (FalWebsocketClient *client)
{
  send_picture_of (client, SIDE, SIDE);
}

/* The picture in the answer, which the schema has at @path. */
static FalRgbImage *
receive_picture (FalWebsocketClient *client, const gchar *path)
{
  g_autoptr (GstStructure) result = fal_websocket_client_next_map (client, FALSE);
  const GValue *content = fal_value_get_path (result, path);

  g_assert_nonnull (content);
  return fal_rgb_image_decode (g_value_get_boxed (content), NULL);
}

static void
assert_grey (const FalRgbImage *image, guint x, guint y, gint level)
{
  for (guint c = 0; c < 3; c++)
    g_assert_cmpint (ABS (image->data[3 * (y * image->width + x) + c] - level), <=, 6);
}

static void
expect_picture (FalServer *server)
{
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (FalRgbImage) image = NULL;

  send_picture (client);
  image = receive_picture (client, "image.content");
  g_assert_cmpuint (image->width, ==, SIDE);
  g_assert_cmpuint (image->height, ==, SIDE);
  assert_grey (image, SIDE / 2, SIDE / 2, 160);
}

/* ---- What it answers ---- */

/* One process for all of them. */
static void
test_pictures_take_the_place_of_ours (void)
{
  g_autoptr (FalServer) server = serve ("birefnet", ANSWER ("P6 2 1 255 \\\\001\\\\001\\\\001aaa"));
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  for (guint i = 0; i < 3; i++) {
    g_autoptr (FalRgbImage) image = NULL;

    send_picture (client);
    image = receive_picture (client, "image.content");
    g_assert_cmpuint (image->width, ==, 2);
    g_assert_cmpuint (image->height, ==, 1);
  }
}

/* Neither it nor the picture fits into a pipe, and the command, which answers as it reads, goes on
 * only as its answer is read. */
static void
test_answers_may_begin_before_the_picture_ends (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){
      .schema = "birefnet", .effect_command = "cat", .effect_timeout_ms = 5000 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  for (guint i = 0; i < 3; i++) {
    g_autoptr (FalRgbImage) image = NULL;

    send_picture_of (client, 640, 480);
    image = receive_picture (client, "image.content");
    g_assert_cmpuint (image->width, ==, 640);
    assert_grey (image, 639, 479, 160);
  }
}

/* Its right half; without an alpha channel the rest is black. */
static void
test_mattes_cut_out (gconstpointer schema)
{
  gboolean birefnet = g_str_equal (schema, "birefnet");
  g_autoptr (FalServer) server =
      serve (schema, ANSWER ("P5 16 1 255 " EIGHT ("\\000") EIGHT ("\\377")));
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (FalRgbImage) image = NULL;

  send_picture (client);
  if (birefnet) {
    image = receive_picture (client, "image.content");
  } else {
    g_autoptr (GstStructure) result = fal_websocket_client_next_map (client, FALSE);
    const GValue *images = gst_structure_get_value (result, "images");
    const GstStructure *first = gst_value_get_structure (gst_value_array_get_value (images, 0));

    image =
        fal_rgb_image_decode (g_value_get_boxed (gst_structure_get_value (first, "content")), NULL);
  }
  g_assert_cmpuint (image->width, ==, SIDE);
  assert_grey (image, 1, SIDE / 2, 0);
  assert_grey (image, SIDE - 2, SIDE / 2, 160);
}

/* It has ended, and nobody has asked how. */
static gboolean
has_ended (const gchar *folder)
{
  g_autofree gchar *file = g_build_filename (folder, "pid", NULL);
  g_autofree gchar *pid = NULL, *path = NULL, *stat = NULL;

  g_assert_true (g_file_get_contents (file, &pid, NULL, NULL));
  path = g_strdup_printf ("/proc/%s/stat", g_strchomp (pid));
  g_assert_true (g_file_get_contents (path, &stat, NULL, NULL));
  return strstr (stat, ") Z ") != NULL;
}

static void
remove_folder (const gchar *folder, const gchar *file)
{
  g_autofree gchar *path = g_build_filename (folder, file, NULL);

  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
test_one_that_ended_between_pictures_is_started_anew (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("fal-command-XXXXXX", NULL);
  g_autofree gchar *command =
      g_strdup_printf ("sh -c 'echo $$ >%s/pid; exec head -c " PICTURE "'", folder);
  g_autoptr (FalServer) server = serve ("birefnet", command);

  for (guint i = 0; i < 3; i++) {
    expect_picture (server);
    FAL_WAIT_UNTIL (has_ended (folder));
  }
  remove_folder (folder, "pid");
}

/* ---- How it fails ---- */

typedef struct {
  const gchar *name, *command, *reason;
} FailureRow;

#define BEGIN "The effect's command "

static const FailureRow failure_rows[] = {
  { "ends", "sh -c 'head -c 13 >/dev/null; exit 3'", BEGIN "has ended with status 3" },
  { "ends-in-its-answer", "sh -c 'head -c 13 >/dev/null; printf \"P5 9 9 255 x\"'",
      BEGIN "has ended with status 0" },
  { "is-killed", "sh -c 'head -c 13 >/dev/null; kill -9 $$'", BEGIN "was ended by signal 9" },
  { "closes-its-output", "sh -c 'head -c 13 >/dev/null; exec >&-; cat >/dev/null'",
      BEGIN "has closed its output" },
  { "talks", ANSWER ("Hello, this is no picture"), BEGIN "answered with what is neither" },
  { "never-ends-its-header", ANSWER ("%0100d"), BEGIN "answered with what is neither" },
  { "has-other-levels", ANSWER ("P5 1 1 65535 xx"), BEGIN "answered with what is neither" },
  { "is-too-large", ANSWER ("P5 4096 1 255 "), BEGIN "answered with a matte of no possible size" },
  { "is-empty", ANSWER ("P6 0 9 255 "), BEGIN "answered with a picture of no possible size" },
};

static void
test_failure (gconstpointer data)
{
  const FailureRow *row = data;
  g_autoptr (FalServer) server = serve ("birefnet", row->command);

  /* The second one meets a new process. */
  for (guint i = 0; i < 2; i++) {
    g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

    send_picture (client);
    fal_websocket_client_assert_error (client, "INTERNAL_ERROR", row->reason);
  }
}

/* A command that does @first in its first process, and works in the next. */
static gchar *
make_first_different (const gchar *folder, const gchar *first)
{
  return g_strdup_printf (
      "sh -c '[ -e %s/again ] && exec cat; : >%s/again; %s'", folder, folder, first);
}

static void
test_it_works_again_after_its_death (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("fal-command-XXXXXX", NULL);
  g_autofree gchar *command = make_first_different (folder, "head -c 13 >/dev/null; exit 1");
  g_autoptr (FalServer) server = serve ("birefnet", command);
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  send_picture (client);
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", BEGIN "has ended with status 1");
  expect_picture (server);
  remove_folder (folder, "again");
}

/* One that takes too long is ended, and what waits behind it is not lost. */
static void
test_it_works_again_after_its_timeout (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("fal-command-XXXXXX", NULL);
  g_autofree gchar *command = make_first_different (folder, "cat >/dev/null");
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){
      .schema = "birefnet", .effect_command = command, .effect_timeout_ms = 2000 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  send_picture (client);
  expect_picture (server);
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", BEGIN "took too long");
  remove_folder (folder, "again");
}

/* The model would be free to answer: these never come to it. */
static void
test_what_is_no_picture_is_told (void)
{
  static const gchar cut_off[] = "\xff\xd8\xff\xe0\x00\x10JFIF";
  g_autoptr (FalServer) server = serve ("birefnet", HANG);
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (GBytes) picture = g_bytes_new_static (cut_off, sizeof cut_off);
  g_autoptr (GstStructure) request =
      gst_structure_new ("map", "image_bytes", G_TYPE_BYTES, picture, NULL);

  fal_websocket_client_send (client, request);
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", "cannot identify image file");
}

/* ---- Meanwhile ---- */

static void
on_pong (SoupWebsocketConnection *socket, GBytes *bytes, gpointer ponged)
{
  *(gboolean *) ponged = TRUE;
}

/* The server's thread hears the others, and ends while the command still works. */
static void
test_the_server_goes_on_meanwhile (void)
{
  g_autoptr (FalServer) server = serve ("birefnet", HANG);
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  g_autoptr (FalWebsocketClient) other = NULL;

  send_picture (client);
  FAL_WAIT_UNTIL (fal_server_get_inferences (server) == 1);
  other = fal_websocket_client_connect (server);
  send_picture (other);
  FAL_WAIT_UNTIL (fal_server_get_inferences (server) == 2);
  fal_server_close (server, 1012, NULL);
  FAL_WAIT_UNTIL (client->closed && other->closed);
}

static void
test_pings_are_answered_meanwhile (void)
{
  g_autoptr (FalServer) server = serve ("birefnet", HANG);
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  gboolean ponged = FALSE;

  send_picture (client);
  FAL_WAIT_UNTIL (fal_server_get_inferences (server) == 1);
  g_signal_connect (client->socket, "pong", G_CALLBACK (on_pong), &ponged);
  soup_websocket_connection_set_keepalive_interval (client->socket, 1);
  FAL_WAIT_UNTIL (ponged);
  g_signal_handlers_disconnect_by_data (client->socket, &ponged);
}

static void
test_a_session_has_its_limit (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve (
      (FalServerOptions){ .schema = "birefnet", .effect_command = HANG, .session_timeout_ms = 20 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);

  send_picture (client);
  fal_websocket_client_assert_error (client, "INTERNAL_ERROR", "");
}

/* The time that was asked for passes even where the command is quicker. */
static void
test_the_delay_is_kept (void)
{
  g_autoptr (FalServer) server = fal_fixture_serve ((FalServerOptions){
      .schema = "birefnet", .effect_command = "cat", .delay_ms = 100, .results = 2 });
  g_autoptr (FalWebsocketClient) client = fal_websocket_client_connect (server);
  gint64 begin = g_get_monotonic_time ();

  send_picture (client);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (FalRgbImage) image = receive_picture (client, "image.content");

    assert_grey (image, 0, 0, 160);
  }
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 199 * G_TIME_SPAN_MILLISECOND);
}

/* ---- What cannot start ---- */

typedef struct {
  const gchar *name, *command, *effect, *schema, *message;
} RefusalRow;

static const RefusalRow refusal_rows[] = {
  { "no-such-program", "/nowhere/segment", NULL, NULL,
      "Could not start the command \"/nowhere/segment\": *" },
  { "unbalanced-quotes", "cat '", NULL, NULL, "Could not start the command \"cat '\": *" },
  { "nothing", "", NULL, NULL, "Could not start the command \"\": *" },
  { "beside-an-effect", "cat", "echo", NULL, "*leave out the one or the other" },
  { "of-blocks", "cat", NULL, "krea", "*leave out the one or the other" },
};

static void
test_refusal (gconstpointer data)
{
  const RefusalRow *row = data;
  const FalServerOptions options = {
    .effect_command = row->command, .effect = row->effect, .schema = row->schema
  };
  g_autoptr (GError) error = NULL;

  g_assert_null (fal_server_new (&options, &error));
  g_assert_true (g_pattern_match_simple (row->message, error->message));
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func (
      "/commands/pictures-take-the-place-of-ours", test_pictures_take_the_place_of_ours);
  g_test_add_func ("/commands/answers-may-begin-before-the-picture-ends",
      test_answers_may_begin_before_the_picture_ends);
  g_test_add_data_func ("/commands/mattes-cut-out/birefnet", "birefnet", test_mattes_cut_out);
  g_test_add_data_func ("/commands/mattes-cut-out/turbo", "turbo", test_mattes_cut_out);
  g_test_add_func ("/commands/one-that-ended-between-pictures-is-started-anew",
      test_one_that_ended_between_pictures_is_started_anew);
  FAL_FIXTURE_ADD_ROWS ("/commands/failure", failure_rows, test_failure);
  g_test_add_func ("/commands/it-works-again-after-its-death", test_it_works_again_after_its_death);
  g_test_add_func (
      "/commands/it-works-again-after-its-timeout", test_it_works_again_after_its_timeout);
  g_test_add_func ("/commands/what-is-no-picture-is-told", test_what_is_no_picture_is_told);
  g_test_add_func ("/commands/the-server-goes-on-meanwhile", test_the_server_goes_on_meanwhile);
  g_test_add_func ("/commands/pings-are-answered-meanwhile", test_pings_are_answered_meanwhile);
  g_test_add_func ("/commands/a-session-has-its-limit", test_a_session_has_its_limit);
  g_test_add_func ("/commands/the-delay-is-kept", test_the_delay_is_kept);
  FAL_FIXTURE_ADD_ROWS ("/commands/refusal", refusal_rows, test_refusal);
  return g_test_run ();
}
