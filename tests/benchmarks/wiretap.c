/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wiretap: an HTTP head to pass over, then frames (RFC 6455). The two ends are this project's
 * and well-behaved; what is no WebSocket gives no messages. */
#define _GNU_SOURCE
#include "wiretap.h"
#include <string.h>

#define HEAD_END "\r\n\r\n"
#define ID_KEY "request_id"
#define ID_MAX 64
#define CONTROL 0x08 /* bit of the opcodes of pings and closes */

typedef enum { IN_HTTP, IN_HEADER, IN_PAYLOAD } State;

struct _Wiretap {
  WiretapHeard heard;
  gpointer user;
  State state;
  guint matched; /* of HEAD_END */
  guint8 header[14];
  guint n_header;
  guint64 left;      /* of the payload of this frame */
  guint64 n_payload; /* that came */
  GByteArray *payload;
  gint64 first; /* 0: no message has begun */
};

Wiretap *
wiretap_new (WiretapHeard heard, gpointer user)
{
  Wiretap *tap = g_new0 (Wiretap, 1);

  tap->heard = heard;
  tap->user = user;
  tap->payload = g_byte_array_new ();
  return tap;
}

void
wiretap_free (Wiretap *tap)
{
  g_byte_array_unref (tap->payload);
  g_free (tap);
}

/* The msgpack string that follows the key, as far as it is a short one. */
static void
find_id (const GByteArray *payload, gchar *id)
{
  const guint8 *end = payload->data + payload->len;
  const guint8 *at = memmem (payload->data, payload->len, ID_KEY, strlen (ID_KEY));
  gsize size = 0;

  if (at != NULL && (at += strlen (ID_KEY)) < end) {
    if ((*at & 0xe0) == 0xa0)
      size = *at++ & 0x1f;
    else if (*at == 0xd9 && ++at < end)
      size = *at++;
  }
  size = at ? MIN (MIN (size, ID_MAX), (gsize) (end - at)) : 0;
  if (size > 0)
    memcpy (id, at, size);
  id[size] = '\0';
}

static void
end_frame (Wiretap *tap, gint64 time)
{
  gchar id[ID_MAX + 1];
  WiretapMessage message = { id, tap->payload->len, tap->first, time };

  tap->state = IN_HEADER;
  tap->n_header = 0;
  if ((tap->header[0] & CONTROL) || !(tap->header[0] & 0x80))
    return;
  find_id (tap->payload, id);
  tap->heard (tap->user, &message);
  g_byte_array_set_size (tap->payload, 0);
  tap->first = 0;
}

static guint
length_bytes (const Wiretap *tap)
{
  guint8 length = tap->header[1] & 0x7f;

  return length == 126 ? 2 : length == 127 ? 8 : 0;
}

static gboolean
is_masked (const Wiretap *tap)
{
  return tap->header[1] & 0x80;
}

static void
begin_payload (Wiretap *tap, gint64 time)
{
  guint n = length_bytes (tap);

  tap->left = n > 0 ? 0 : tap->header[1] & 0x7f;
  for (guint i = 0; i < n; i++)
    tap->left = tap->left << 8 | tap->header[2 + i];
  tap->n_payload = 0;
  tap->state = IN_PAYLOAD;
  if (tap->left == 0)
    end_frame (tap, time);
}

static void
take_header (Wiretap *tap, guint8 byte, gint64 time)
{
  tap->header[tap->n_header++] = byte;
  if (tap->n_header == 1 && !(byte & CONTROL) && tap->first == 0)
    tap->first = time;
  if (tap->n_header >= 2 && tap->n_header == 2 + length_bytes (tap) + (is_masked (tap) ? 4 : 0))
    begin_payload (tap, time);
}

/* How many bytes of @data are the frame's. */
static gsize
take_payload (Wiretap *tap, const guint8 *data, gsize size, gint64 time)
{
  gsize n = MIN (size, tap->left);
  const guint8 *mask = tap->header + tap->n_header - 4;

  if (!(tap->header[0] & CONTROL)) {
    g_byte_array_append (tap->payload, data, n);
    for (gsize i = 0; is_masked (tap) && i < n; i++)
      tap->payload->data[tap->payload->len - n + i] ^= mask[(tap->n_payload + i) % 4];
  }
  tap->n_payload += n;
  tap->left -= n;
  if (tap->left == 0)
    end_frame (tap, time);
  return n;
}

static void
take_http (Wiretap *tap, guint8 byte)
{
  tap->matched = byte == HEAD_END[tap->matched] ? tap->matched + 1 : byte == '\r';
  if (tap->matched == strlen (HEAD_END))
    tap->state = IN_HEADER;
}

void
wiretap_feed (Wiretap *tap, const guint8 *data, gsize size, gint64 time)
{
  for (gsize i = 0; i < size;)
    switch (tap->state) {
    case IN_HTTP:
      take_http (tap, data[i++]);
      break;
    case IN_HEADER:
      take_header (tap, data[i++], time);
      break;
    case IN_PAYLOAD:
      i += take_payload (tap, data + i, size - i, time);
      break;
    }
}
