/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: one message of the server. The first byte says whether it is a text message
 * (odd) and which field has its pictures; the rest is the message. A message that can be parsed
 * must be the same after it was written and parsed again. */
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

static void
check_round_trip (GBytes *message)
{
  g_autoptr (GstStructure) map = fal_value_from_msgpack (message, NULL);
  g_autoptr (GstStructure) again = NULL;
  g_autoptr (GBytes) written = NULL, rewritten = NULL;

  if (map == NULL)
    return;
  written = fal_value_to_msgpack (map, NULL);
  g_assert_nonnull (written);
  again = fal_value_from_msgpack (written, NULL);
  g_assert_nonnull (again);
  rewritten = fal_value_to_msgpack (again, NULL);
  g_assert_true (g_bytes_equal (written, rewritten));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (FalReply) reply = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = NULL;
  const gchar *field;

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  if (size == 0)
    return 0;
  message = g_bytes_new (data + 1, size - 1);
  field = result_fields[(data[0] >> 1) % G_N_ELEMENTS (result_fields)];
  reply = fal_protocol_parse_reply (message, data[0] & 1, field, &error);
  g_assert_true ((reply == NULL) == (error != NULL));
  if ((data[0] & 1) == 0)
    check_round_trip (message);
  return 0;
}
