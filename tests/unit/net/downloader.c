/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How pictures are downloaded, what is no picture, and the end of a downloader at any time. To
 * which addresses, is in public-session.c. */
#include "downloader-fixture.h"
#include "few-descriptors.h"

#include <string.h>

/* ---- Pictures ---- */

static void
test_a_picture_is_downloaded (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/ok", "/chunked", "/ok?signature=hush" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    download (fixture, "v3.fal.media", paths[i]);
    g_assert_no_error (fixture->error);
    g_assert_cmpuint (fixture->size, ==, strlen (PICTURE));
  }
  g_assert_cmpuint (fal_downloader_get_bytes (fixture->downloader), ==, 3 * strlen (PICTURE));
}

/* The second request comes after a cookie, the third after a demand for a password. */
static void
test_a_request_tells_nothing (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/jar", "/401", "/inside" };
  const gchar *const secrets[] = { "authorization", "cookie", "referer", "accept-encoding",
    "origin" };
  g_autofree gchar *host = g_strdup_printf ("Host: v3.fal.media:%u", fixture->host->port);

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    download (fixture, "v3.fal.media", paths[i]);
  g_assert_cmpuint (fixture->pictures, ==, 2);
  g_assert_cmpuint (picture_host_count_requests (fixture->host), ==, 4);
  for (guint i = 0; i < 4; i++) {
    const gchar *head = fixture->host->requests->pdata[i];
    g_autofree gchar *lower = g_ascii_strdown (head, -1);

    g_assert_true (g_str_has_prefix (head, "GET /"));
    g_assert_nonnull (strstr (head, " HTTP/1.1\r\n"));
    g_assert_nonnull (strstr (head, host));
    g_assert_nonnull (strstr (head, "User-Agent: test/1\r\n"));
    for (guint j = 0; j < G_N_ELEMENTS (secrets); j++)
      g_assert_null (strstr (lower, secrets[j]));
  }
}

static void
test_pictures_of_one_host_share_a_connection (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 10; i++)
    download (fixture, "v3.fal.media", "/ok");
  g_assert_cmpuint (fixture->pictures, ==, 10);
  g_assert_cmpuint (fixture->resolver->lookups, ==, 1);
  g_assert_cmpuint (fixture->host->connections, ==, 1);
}

static void
test_eight_at_once_and_the_others_wait (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 40; i++)
    start_download (fixture, "v3.fal.media", "/ok");
  await_answers (fixture, 40);
  g_assert_cmpuint (fixture->pictures, ==, 40);
  g_assert_cmpuint (fixture->host->connections, <=, 8);
}

/* Eight are under way and 64 wait: the 36 others are refused at once. */
static void
test_too_many_are_refused (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 100; i++)
    start_download (fixture, "v3.fal.media", "/silent");
  await_answers (fixture, 36);
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_BUSY);
  while (picture_host_count_requests (fixture->host) < 8)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (fixture->answers, ==, 36);
  g_assert_cmpuint (picture_host_count_requests (fixture->host), ==, 8);
}

/* Nothing is asked for, as GLib would end the process; the next one has what it needs. */
static void
test_without_descriptors_it_is_said_what_to_do (Fixture *fixture, gconstpointer data)
{
  struct rlimit before;

  leave_descriptors (0, &before);
  download (fixture, "v3.fal.media", "/ok");
  give_descriptors_back (&before);
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_FAILED, "ulimit -n");
  g_assert_cmpuint (fixture->host->connections, ==, 0);
  download (fixture, "v3.fal.media", "/ok");
  g_assert_cmpuint (fixture->pictures, ==, 1);
}

/* ---- Redirects ---- */

static void
test_redirects_inside_are_followed (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/inside", "/3", "/other" };

  g_free (fixture->hosts);
  fixture->hosts =
      g_strdup_printf ("*.fal.media:%u, localhost:%u", fixture->host->port, fixture->host->port);
  configure (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    download (fixture, "v3.fal.media", paths[i]);
    g_assert_no_error (fixture->error);
  }
  g_assert_cmpuint (fixture->pictures, ==, 3);
}

static const struct {
  const gchar *path;
  gint code;
} redirects[] = {
  { "/outside", G_IO_ERROR_NOT_SUPPORTED },
  { "/private", G_IO_ERROR_NOT_SUPPORTED },
  { "/literal", G_IO_ERROR_NOT_SUPPORTED },
  { "/plain", G_IO_ERROR_NOT_SUPPORTED },
  { "/user", G_IO_ERROR_NOT_SUPPORTED },
  { "/nowhere", G_IO_ERROR_INVALID_DATA },
  { "/hostless", G_IO_ERROR_INVALID_DATA },
};

static void
test_redirects_outside_are_not_followed (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (redirects); i++) {
    download (fixture, "v3.fal.media", redirects[i].path);
    assert_failed (fixture, G_IO_ERROR, redirects[i].code, "");
  }
  g_assert_cmpuint (picture_host_count_requests (fixture->host), ==, G_N_ELEMENTS (redirects));
  for (guint i = 0; i < fixture->host->addresses->len; i++)
    g_assert_cmpstr (fixture->host->addresses->pdata[i], ==, "127.0.0.1");
}

static void
test_a_loop_ends (Fixture *fixture, gconstpointer data)
{
  download (fixture, "v3.fal.media", "/loop");
  assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_TOO_MANY_LINKS, "\"v3.fal.media\"");
  g_assert_cmpuint (picture_host_count_requests (fixture->host), ==, 4);
}

/* ---- Answers that are none ---- */

static const struct {
  const gchar *path;
  gint code;
} faults[] = {
  { "/404", G_IO_ERROR_NOT_FOUND },
  { "/401", G_IO_ERROR_FAILED },
  { "/421", G_IO_ERROR_FAILED },
  { "/500", G_IO_ERROR_FAILED },
  { "/empty", G_IO_ERROR_INVALID_DATA },
  { "/gigabyte", G_IO_ERROR_MESSAGE_TOO_LARGE },
  { "/overflow", G_IO_ERROR_MESSAGE_TOO_LARGE },
  { "/short", G_IO_ERROR_PARTIAL_INPUT },
  { "/short-chunk", G_IO_ERROR_PARTIAL_INPUT },
  { "/endless/200", G_IO_ERROR_MESSAGE_TOO_LARGE },
  { "/endless/302", G_IO_ERROR_FAILED },
  { "/endless/401", G_IO_ERROR_FAILED },
  { "/endless/404", G_IO_ERROR_NOT_FOUND },
  { "/endless/407", G_IO_ERROR_FAILED },
  { "/endless/421", G_IO_ERROR_FAILED },
};

static void
test_bad_answers_fail (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++) {
    guint64 before = fal_downloader_get_bytes (fixture->downloader);

    g_test_message ("%s", faults[i].path);
    download (fixture, "v3.fal.media", faults[i].path);
    assert_failed (fixture, G_IO_ERROR, faults[i].code, "\"v3.fal.media\"");
    g_assert_cmpuint (fal_downloader_get_bytes (fixture->downloader) - before, <=, MAX_SIZE + 256);
  }
  download (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
}

static void
test_a_picture_of_the_greatest_size_passes (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/ok", "/chunked" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    fixture->max_size = strlen (PICTURE);
    configure (fixture);
    download (fixture, "v3.fal.media", paths[i]);
    g_assert_no_error (fixture->error);
    fixture->max_size--;
    configure (fixture);
    download (fixture, "v3.fal.media", paths[i]);
    assert_failed (fixture, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, "max-message-size");
  }
}

/* ---- Time ---- */

static void
test_an_answer_that_does_not_come_times_out (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/silent", "/slow" };

  fixture->timeout = 50;
  configure (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    download (fixture, "v3.fal.media", paths[i]);
    g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  }
  fixture->host->mode = HOST_STALLS;
  download (fixture, "v3.fal.media", "/ok");
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  fixture->host->mode = HOST_SERVES;
  fixture->timeout = 1000 * WATCHDOG;
  configure (fixture);
  download (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
}

/* Those that wait for their turn, too. On a busy machine the time may end before the lookup. */
static void
test_a_name_that_is_not_found_times_out (Fixture *fixture, gconstpointer data)
{
  fixture->resolver->first = fixture->resolver->later = "hang";
  fixture->timeout = 50;
  configure (fixture);
  while (fixture->resolver->lookups == 0) {
    fixture->answers = 0;
    for (guint i = 0; i < 20; i++)
      start_download (fixture, "v3.fal.media", "/ok");
    await_answers (fixture, 20);
    g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  }
  fixture->resolver->later = "127.0.0.1";
  fixture->timeout = 1000 * WATCHDOG;
  configure (fixture);
  download (fixture, "v3.fal.media", "/ok");
  g_assert_no_error (fixture->error);
}

/* ---- The end in the middle ---- */

static void
test_freed_when_told (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/ok", "/404", "/endless/200", "/loop", "/outside" };

  fixture->frees_when_told = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    renew_downloader (fixture);
    start_download (fixture, "v3.fal.media", paths[i]);
    start_download (fixture, "v3.fal.media", "/silent");
    await_answers (fixture, i + 1);
    g_assert_null (fixture->downloader);
  }
}

/* With all of @paths under way, @n iterations long, or until those that end have ended. */
static void
free_after (Fixture *fixture, guint n)
{
  const gchar *const paths[] = { "/ok", "/chunked", "/slow", "/endless/200", "/endless/421", "/3",
    "/silent", "/404", "/outside" };

  fixture->answers = 0;
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    start_download (fixture, "v3.fal.media", paths[i]);
  while (n-- > 0 && fixture->answers < G_N_ELEMENTS (paths) - 2)
    g_main_context_iteration (NULL, TRUE);
  renew_downloader (fixture);
}

static void
test_freed_at_any_time (Fixture *fixture, gconstpointer data)
{
  for (guint n = 0; n < 150; n += 2 + n / 3)
    free_after (fixture, n);
}

/* The same, but the time of each picture ends while the downloader goes on. */
static void
test_timed_out_at_any_time (Fixture *fixture, gconstpointer data)
{
  const gchar *const paths[] = { "/ok", "/slow", "/endless/200", "/endless/421", "/404",
    "/silent" };

  for (guint timeout = 1; timeout < 40; timeout += 1 + timeout / 2) {
    fixture->timeout = timeout;
    fixture->answers = 0;
    configure (fixture);
    for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
      start_download (fixture, "v3.fal.media", paths[i]);
    await_answers (fixture, G_N_ELEMENTS (paths));
  }
}

static void
test_freed_while_a_resolver_hangs (Fixture *fixture, gconstpointer data)
{
  fixture->resolver->first = "hang";
  start_download (fixture, "v3.fal.media", "/ok");
  while (fixture->resolver->lookups == 0)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&fixture->downloader, fal_downloader_free);
  g_assert_cmpuint (fixture->answers, ==, 0);
}

static void
test_freed_while_tls_stalls (Fixture *fixture, gconstpointer data)
{
  fixture->host->mode = HOST_STALLS;
  start_download (fixture, "v3.fal.media", "/ok");
  while (picture_host_count_requests (fixture->host) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&fixture->downloader, fal_downloader_free);
  g_assert_cmpuint (fixture->answers, ==, 0);
}

static void
test_freed_in_the_middle_of_a_body (Fixture *fixture, gconstpointer data)
{
  start_download (fixture, "v3.fal.media", "/slow");
  while (fal_downloader_get_bytes (fixture->downloader) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&fixture->downloader, fal_downloader_free);
  g_assert_cmpuint (fixture->answers, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/downloader/picture", test_a_picture_is_downloaded);
  ADD ("/downloader/tells-nothing", test_a_request_tells_nothing);
  ADD ("/downloader/one-connection", test_pictures_of_one_host_share_a_connection);
  ADD ("/downloader/eight-at-once", test_eight_at_once_and_the_others_wait);
  ADD ("/downloader/too-many", test_too_many_are_refused);
  ADD ("/downloader/no-descriptors", test_without_descriptors_it_is_said_what_to_do);
  ADD ("/downloader/redirects-inside", test_redirects_inside_are_followed);
  ADD ("/downloader/redirects-outside", test_redirects_outside_are_not_followed);
  ADD ("/downloader/loop", test_a_loop_ends);
  ADD ("/downloader/bad-answers", test_bad_answers_fail);
  ADD ("/downloader/greatest-size", test_a_picture_of_the_greatest_size_passes);
  ADD ("/downloader/no-answer", test_an_answer_that_does_not_come_times_out);
  ADD ("/downloader/no-name", test_a_name_that_is_not_found_times_out);
  ADD ("/downloader/freed-when-told", test_freed_when_told);
  ADD ("/downloader/freed-any-time", test_freed_at_any_time);
  ADD ("/downloader/timed-out-any-time", test_timed_out_at_any_time);
  ADD ("/downloader/freed-resolving", test_freed_while_a_resolver_hangs);
  ADD ("/downloader/freed-tls", test_freed_while_tls_stalls);
  ADD ("/downloader/freed-body", test_freed_in_the_middle_of_a_body);
  return g_test_run ();
}
