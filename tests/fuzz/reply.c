/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: one message of the server. The first byte says whether it is a text message
 * (odd) and which field has its pictures; the rest is the message. A message that can be parsed
 * must be the same after it was written and parsed again, and all of them together bring in no more
 * names than the budget that they share. */
#include "fal/wire/protocol.h"
#include "fal/wire/value-msgpack.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static const gchar *const result_fields[] = {
  NULL,
  "auto",
  "images[*].content",
  "images[0]",
  "image",
  "output.frames[1].data",
};

#define BUDGET 500

static void
check_round_trip (GBytes *message, FalNames *names)
{
  g_autoptr (GstStructure) map = fal_value_from_msgpack (message, names, NULL);
  g_autoptr (GstStructure) again = NULL;
  g_autoptr (GBytes) written = NULL, rewritten = NULL;

  if (map == NULL)
    return;
  written = fal_value_to_msgpack (map, NULL);
  g_assert_nonnull (written);
  again = fal_value_from_msgpack (written, names, NULL);
  g_assert_nonnull (again);
  rewritten = fal_value_to_msgpack (again, NULL);
  g_assert_true (g_bytes_equal (written, rewritten));
}

/* Each new quark has the next number; a few more are GLib's and GStreamer's own. */
static void
check_budget (void)
{
  static GQuark first;
  static guint n;
  g_autofree gchar *name = NULL;
  GQuark now;

  if (n++ % 10000 != 0)
    return;
  name = g_strdup_printf ("a quark of the test %u", n);
  now = g_quark_from_string (name);
  first = first != 0 ? first : now;
  g_assert_cmpuint (now - first, <=, BUDGET + n / 10000 + 100);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static FalNames *names;
  g_autoptr (FalReply) reply = NULL, unreadable = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = NULL;
  const gchar *field;

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  if (names == NULL)
    names = fal_names_new (BUDGET);
  check_budget ();
  if (size == 0)
    return 0;
  message = g_bytes_new (data + 1, size - 1);
  field = result_fields[(data[0] >> 1) % G_N_ELEMENTS (result_fields)];
  reply = fal_protocol_parse_reply (message, data[0] & 1, field, names, &error);
  g_assert_true ((reply == NULL) == (error != NULL));
  unreadable = fal_protocol_make_unreadable (message);
  if ((data[0] & 1) == 0)
    check_round_trip (message, names);
  return 0;
}
