/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of faults: their class, the error that they are told as, and what a user can do. */
#include "fal/policy/fault.h"

#include <string.h>

static void
test_a_refusal_is_told_from_other_faults (void)
{
  static const FalFault refusals[] = { { FAL_FAULT_HTTP, 401 }, { FAL_FAULT_HTTP, 403 },
    { FAL_FAULT_TOKEN, 401 }, { FAL_FAULT_UNAUTHORIZED }, { FAL_FAULT_CLOSED, 1008 },
    { FAL_FAULT_STALE } };
  static const FalFault others[] = { { FAL_FAULT_HTTP, 404 }, { FAL_FAULT_HTTP, 500 },
    { FAL_FAULT_TOKEN, 500 }, { FAL_FAULT_CLOSED, 1000 }, { FAL_FAULT_PROXY, 407 },
    { FAL_FAULT_PROVIDER }, { FAL_FAULT_TLS }, { FAL_FAULT_ASKED } };

  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    g_assert_cmpint (fal_fault_get_class (&refusals[i]), ==, FAL_FAULT_CLASS_CREDENTIALS);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_cmpint (fal_fault_get_class (&others[i]), !=, FAL_FAULT_CLASS_CREDENTIALS);
}

static void
test_every_fault_has_a_class_and_an_error (void)
{
  static const struct {
    FalFault fault;
    FalFaultClass class;
    GIOErrorEnum error;
  } rows[] = {
    { { FAL_FAULT_NETWORK }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_HOST_UNREACHABLE },
    { { FAL_FAULT_NETWORK, FAL_NETWORK_FAULT_DESCRIPTORS }, FAL_FAULT_CLASS_TRANSIENT,
        G_IO_ERROR_FAILED },
    { { FAL_FAULT_TIMED_OUT }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_TIMED_OUT },
    { { FAL_FAULT_UNKNOWN_HOST }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_HOST_NOT_FOUND },
    { { FAL_FAULT_TLS, FAL_TLS_FAULT_EXPIRED }, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED },
    { { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_TLS }, FAL_FAULT_CLASS_TRANSIENT,
        G_IO_ERROR_HOST_UNREACHABLE },
    { { FAL_FAULT_PROXY, 407 }, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_PERMISSION_DENIED },
    { { FAL_FAULT_PROXY, 502 }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_HOST_UNREACHABLE },
    { { FAL_FAULT_HTTP, 101 }, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED },
    { { FAL_FAULT_HTTP, 302 }, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED },
    { { FAL_FAULT_HTTP, 401 }, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED },
    { { FAL_FAULT_HTTP, 404 }, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_NOT_FOUND },
    { { FAL_FAULT_HTTP, 429 }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BUSY },
    { { FAL_FAULT_HTTP, 503 }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED },
    { { FAL_FAULT_HTTP, 600 }, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED },
    { { FAL_FAULT_TOKEN, 0 }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED },
    { { FAL_FAULT_TOKEN, 422 }, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED },
    { { FAL_FAULT_PROVIDER, 0 }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_PERMISSION_DENIED },
    { { FAL_FAULT_PROVIDER, 1 }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_TIMED_OUT },
    { { FAL_FAULT_PROVIDER, 2 }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED },
    { { FAL_FAULT_STALE, 1 }, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED },
    { { FAL_FAULT_UNAUTHORIZED }, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED },
    { { FAL_FAULT_CLOSED, 1000 }, FAL_FAULT_CLASS_QUIET, G_IO_ERROR_BROKEN_PIPE },
    { { FAL_FAULT_CLOSED, 1006 }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE },
    { { FAL_FAULT_CLOSED, 1009 }, FAL_FAULT_CLASS_SERVER, G_IO_ERROR_BROKEN_PIPE },
    { { FAL_FAULT_CLOSED, 4001 }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE },
    { { FAL_FAULT_SERVER }, FAL_FAULT_CLASS_SERVER, G_IO_ERROR_FAILED },
    { { FAL_FAULT_SERVER, FAL_SERVER_FAULT_ENDLESS }, FAL_FAULT_CLASS_PERMANENT,
        G_IO_ERROR_FAILED },
    { { FAL_FAULT_SILENT }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE },
    { { FAL_FAULT_LOADING }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE },
    { { FAL_FAULT_DEAD }, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE },
    { { FAL_FAULT_WEBRTC }, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED },
    { { FAL_FAULT_ASKED }, FAL_FAULT_CLASS_QUIET, G_IO_ERROR_CANCELLED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("kind %d code %u", rows[i].fault.kind, rows[i].fault.code);
    g_assert_cmpint (fal_fault_get_class (&rows[i].fault), ==, rows[i].class);
    g_assert_cmpint (fal_fault_get_error_code (&rows[i].fault), ==, rows[i].error);
  }
}

/* The codes, from 0 to 4999, from which on another class, error or hint holds. */
static gchar *
list_meanings (FalFaultKind kind)
{
  GString *list = g_string_new (NULL);

  for (guint code = 1; code < 5000; code++) {
    const FalFault fault = { kind, code }, before = { kind, code - 1 };

    if (fal_fault_get_class (&fault) != fal_fault_get_class (&before) ||
        fal_fault_get_error_code (&fault) != fal_fault_get_error_code (&before) ||
        strcmp (fal_fault_get_hint (&fault), fal_fault_get_hint (&before)) != 0)
      g_string_append_printf (list, " %u", code);
  }
  return g_string_free (list, FALSE);
}

static void
test_each_code_has_its_meaning (void)
{
  static const struct {
    FalFaultKind kind;
    const gchar *meanings;
  } rows[] = {
    { FAL_FAULT_NETWORK, " 1 2 3" },
    { FAL_FAULT_PROXY, " 400 407 408 500" },
    { FAL_FAULT_HTTP, " 101 102 300 400 401 402 403 404 405 408 409 429 430 500 600" },
    { FAL_FAULT_TOKEN, " 300 400 408 422 423" },
    { FAL_FAULT_PROVIDER, " 1 2 3" },
    { FAL_FAULT_CLOSED, " 1000 1001 1002 1005 1006 1007 1008 1009 1010" },
    { FAL_FAULT_SILENT, " 1 2" },
    { FAL_FAULT_LOADING, " 1 2" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *meanings = list_meanings (rows[i].kind);

    g_assert_cmpstr (meanings, ==, rows[i].meanings);
  }
}

/* A hint of a fault that a property can mend names that property. */
static void
test_a_hint_names_what_to_set (void)
{
  static const struct {
    FalFault fault;
    const gchar *word;
  } rows[] = {
    { { FAL_FAULT_UNKNOWN_HOST }, "base-uri" },
    { { FAL_FAULT_TIMED_OUT }, "connect-timeout" },
    { { FAL_FAULT_TLS, FAL_TLS_FAULT_UNKNOWN_CA }, "tls-database" },
    { { FAL_FAULT_TLS, FAL_TLS_FAULT_EXPIRED }, "clock" },
    { { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_TLS }, "ws://" },
    { { FAL_FAULT_TLS, FAL_TLS_FAULT_MISSING }, "glib-networking" },
    { { FAL_FAULT_PROXY, 407 }, "proxy" },
    { { FAL_FAULT_HTTP, 401 }, "api-key" },
    { { FAL_FAULT_HTTP, 404 }, "app and path" },
    { { FAL_FAULT_TOKEN, 302 }, "token-uri" },
    { { FAL_FAULT_TOKEN, 422 }, "token-request" },
    { { FAL_FAULT_PROVIDER, 1 }, "request-token" },
    { { FAL_FAULT_PROVIDER, 2 }, "more threads" },
    { { FAL_FAULT_NETWORK, FAL_NETWORK_FAULT_DESCRIPTORS }, "ulimit -n" },
    { { FAL_FAULT_NETWORK, FAL_NETWORK_FAULT_THREADS }, "ulimit -u" },
    { { FAL_FAULT_CLOSED, 1009 }, "quality" },
    { { FAL_FAULT_CLOSED, 1009 }, "width, height" },
    { { FAL_FAULT_SERVER, FAL_SERVER_FAULT_TOO_BIG }, "max-message-size" },
    { { FAL_FAULT_SILENT }, "request-timeout" },
    { { FAL_FAULT_SILENT, 1 }, "WebRTC" },
    { { FAL_FAULT_LOADING, 1 }, "WebRTC" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("kind %d code %u", rows[i].fault.kind, rows[i].fault.code);
    g_assert_nonnull (strstr (fal_fault_get_hint (&rows[i].fault), rows[i].word));
  }
}

/* Messages put them between other sentences. */
static void
test_each_hint_is_a_sentence (void)
{
  for (FalFaultKind kind = FAL_FAULT_NETWORK; kind <= FAL_FAULT_ASKED; kind++) {
    for (guint code = 0; code < 5000; code++) {
      const FalFault fault = { kind, kind == FAL_FAULT_STALE ? code % 2 : code };
      const gchar *hint = fal_fault_get_hint (&fault);

      g_assert_true (g_ascii_isupper (hint[0]));
      g_assert_true (g_str_has_suffix (hint, ".") || g_str_has_suffix (hint, "?"));
    }
  }
}

/* Whether it is tried again stands beside the hint, where that is known. */
static void
test_no_hint_speaks_of_another_attempt (void)
{
  for (FalFaultKind kind = FAL_FAULT_NETWORK; kind <= FAL_FAULT_ASKED; kind++) {
    for (guint code = 0; code < 5000; code++) {
      const FalFault fault = { kind, kind == FAL_FAULT_STALE ? code % 2 : code };

      g_assert_null (strstr (fal_fault_get_hint (&fault), "again"));
    }
  }
}

static void
test_what_a_network_may_do_by_itself (void)
{
  static const struct {
    FalFault fault;
    gboolean may_pass;
  } rows[] = {
    { { FAL_FAULT_HTTP, 101 }, TRUE },
    { { FAL_FAULT_HTTP, 200 }, TRUE },
    { { FAL_FAULT_HTTP, 302 }, TRUE },
    { { FAL_FAULT_HTTP, 401 }, FALSE },
    { { FAL_FAULT_HTTP, 403 }, TRUE },
    { { FAL_FAULT_HTTP, 404 }, TRUE },
    { { FAL_FAULT_TOKEN, 0 }, TRUE },
    { { FAL_FAULT_TOKEN, 401 }, FALSE },
    { { FAL_FAULT_TOKEN, 403 }, TRUE },
    { { FAL_FAULT_PROXY, 403 }, TRUE },
    { { FAL_FAULT_PROXY, 407 }, FALSE },
    { { FAL_FAULT_TLS, FAL_TLS_FAULT_UNKNOWN_CA }, TRUE },
    { { FAL_FAULT_TLS, FAL_TLS_FAULT_EXPIRED }, TRUE },
    { { FAL_FAULT_TLS, FAL_TLS_FAULT_MISSING }, FALSE },
    { { FAL_FAULT_UNKNOWN_HOST }, TRUE },
    { { FAL_FAULT_UNAUTHORIZED }, FALSE },
    { { FAL_FAULT_CLOSED, 1008 }, FALSE },
    { { FAL_FAULT_STALE, 1 }, FALSE },
    { { FAL_FAULT_WEBRTC }, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("kind %d code %u", rows[i].fault.kind, rows[i].fault.code);
    g_assert_cmpint (fal_fault_may_pass (&rows[i].fault), ==, rows[i].may_pass);
  }
}

static void
test_every_kind_is_described (void)
{
  for (FalFaultKind kind = FAL_FAULT_NETWORK; kind <= FAL_FAULT_ASKED; kind++)
    g_assert_cmpuint (strlen (fal_fault_describe (kind)), >, 0);
  g_assert_cmpstr (fal_fault_describe (FAL_FAULT_SILENT), !=, fal_fault_describe (FAL_FAULT_DEAD));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) g_test_add_func ("/fault/" name, test)
  ADD ("a-refusal-is-told-from-other-faults", test_a_refusal_is_told_from_other_faults);
  ADD ("every-fault-has-a-class-and-an-error", test_every_fault_has_a_class_and_an_error);
  ADD ("each-code-has-its-meaning", test_each_code_has_its_meaning);
  ADD ("a-hint-names-what-to-set", test_a_hint_names_what_to_set);
  ADD ("each-hint-is-a-sentence", test_each_hint_is_a_sentence);
  ADD ("no-hint-speaks-of-another-attempt", test_no_hint_speaks_of_another_attempt);
  ADD ("what-a-network-may-do-by-itself", test_what_a_network_may_do_by_itself);
  ADD ("every-kind-is-described", test_every_kind_is_described);
  return g_test_run ();
}
