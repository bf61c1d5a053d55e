/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures as text, out and in. */
#include "../scarce-memory.h"
#include "fal/wire/data-uri.h"

#include <gio/gio.h>
#include <string.h>

/* The vectors of RFC 4648. */
static const struct {
  const gchar *data, *base64;
} vectors[] = {
  { "f", "Zg==" },
  { "fo", "Zm8=" },
  { "foo", "Zm9v" },
  { "foob", "Zm9vYg==" },
  { "fooba", "Zm9vYmE=" },
  { "foobar", "Zm9vYmFy" },
};

static void
assert_decodes (const gchar *text, const gchar *wanted)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = fal_data_uri_decode (text, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), wanted, strlen (wanted));
}

static void
test_base64_is_written_and_read (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new_static (vectors[i].data, strlen (vectors[i].data));
    g_autofree gchar *plain = fal_data_uri_encode (NULL, bytes);
    g_autofree gchar *uri = fal_data_uri_encode ("image/png", bytes);
    g_autofree gchar *wanted = g_strconcat ("data:image/png;base64,", vectors[i].base64, NULL);

    g_assert_cmpstr (plain, ==, vectors[i].base64);
    g_assert_cmpstr (uri, ==, wanted);
    assert_decodes (plain, vectors[i].data);
    assert_decodes (uri, vectors[i].data);
  }
}

static void
test_every_length_comes_back (void)
{
  guint8 data[300];

  for (guint i = 0; i < sizeof data; i++)
    data[i] = i * 37;
  for (gsize size = 1; size <= sizeof data; size++) {
    g_autoptr (GBytes) bytes = g_bytes_new (data, size);
    g_autofree gchar *uri = fal_data_uri_encode ("image/jpeg", bytes);
    g_autoptr (GBytes) again = fal_data_uri_decode (uri, NULL);

    g_assert_true (g_bytes_equal (bytes, again));
  }
}

static void
test_no_bytes_are_no_text (void)
{
  g_autoptr (GBytes) none = g_bytes_new (NULL, 0);
  g_autofree gchar *plain = fal_data_uri_encode (NULL, none);
  g_autofree gchar *uri = fal_data_uri_encode ("image/jpeg", none);

  g_assert_cmpstr (plain, ==, "");
  g_assert_cmpstr (uri, ==, "data:image/jpeg;base64,");
}

static void
test_scheme_and_type_are_of_any_case_and_may_have_parameters (void)
{
  assert_decodes ("DATA:Image/JPEG;BASE64,Zm9v", "foo");
  assert_decodes ("data:image/svg+xml;charset=utf-8;base64,Zm9v", "foo");
}

static void
test_what_is_not_whole_is_refused (void)
{
  static const gchar *const rows[] = { "", "Zg", "Zg=", "Zg===", "=Zg=", "Zm9v=", "Z===", "Zm 9v",
    "Zm9v\n", "Zm-v", "Zm_v", "data:", "data:image/png", "data:image/png,", "data:image/png,Zm9v",
    "data:image/png;base64", "data:image/png;base64,", "data:image/png;base64,Z",
    "data:text/html;base64,Zm9v", "data:;base64,Zm9v", "data:image/png;base64;x,Zm9v",
    "data:image/png;base64,Zm9v,Zm9v", "http://x/", "é" };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_test_message ("“%s”", rows[i]);
    g_assert_null (fal_data_uri_decode (rows[i], &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

/* It may be megabytes, or secret. */
static void
test_an_error_does_not_repeat_the_text (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (fal_data_uri_decode ("secret!", &error));
  g_assert_null (strstr (error->message, "secret"));
}

static void
test_without_memory_there_is_no_picture (void)
{
  g_autoptr (GError) error = NULL;

  scarce_memory_fail (1);
  g_assert_null (fal_data_uri_decode ("data:image/png;base64,Zm9v", &error));
  g_assert_true (scarce_memory_has_failed ());
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  assert_decodes ("data:image/png;base64,Zm9v", "foo");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) g_test_add_func ("/data-uri/" name, test)
  ADD ("base64-is-written-and-read", test_base64_is_written_and_read);
  ADD ("every-length-comes-back", test_every_length_comes_back);
  ADD ("no-bytes-are-no-text", test_no_bytes_are_no_text);
  ADD ("scheme-and-type-are-of-any-case-and-may-have-parameters",
      test_scheme_and_type_are_of_any_case_and_may_have_parameters);
  ADD ("what-is-not-whole-is-refused", test_what_is_not_whole_is_refused);
  ADD ("an-error-does-not-repeat-the-text", test_an_error_does_not_repeat_the_text);
  ADD ("without-memory-there-is-no-picture", test_without_memory_there_is_no_picture);
  return g_test_run ();
}
