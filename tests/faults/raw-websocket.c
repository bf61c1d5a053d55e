/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server's side of a connection by hand: blocking reads and writes on the thread that plays
 * it, each of which ends with the cancellable. */
#include "raw-websocket.h"
#include "fal/wire/value-msgpack.h"

#include <string.h>

#define HEAD_MAX (64 * 1024) /* bytes of an HTTP request's head */

/* ---- bytes ---- */

gboolean
raw_websocket_send (RawWebsocket *websocket, const void *data, gsize size)
{
  const gchar *at = data;

  while (size > 0) {
    gssize n = g_socket_send (websocket->socket, at, size, websocket->cancellable, NULL);

    if (n <= 0)
      return FALSE;
    at += n;
    size -= n;
  }
  return TRUE;
}

gboolean
raw_websocket_receive (RawWebsocket *websocket)
{
  gchar buffer[16384];
  gssize n =
      g_socket_receive (websocket->socket, buffer, sizeof buffer, websocket->cancellable, NULL);

  if (n <= 0)
    return FALSE;
  g_byte_array_append (websocket->in, (const guint8 *) buffer, n);
  return TRUE;
}

static gboolean
receive_at_least (RawWebsocket *websocket, gsize size)
{
  while (websocket->in->len < size)
    if (!raw_websocket_receive (websocket))
      return FALSE;
  return TRUE;
}

gboolean
raw_websocket_rest (RawWebsocket *websocket, guint pause)
{
  GPollFD end;

  if (pause > 0 && g_cancellable_make_pollfd (websocket->cancellable, &end)) {
    g_poll (&end, 1, pause / 1000);
    g_cancellable_release_fd (websocket->cancellable);
  }
  return !g_cancellable_is_cancelled (websocket->cancellable);
}

/* ---- HTTP ---- */

static gchar *
get_header (const gchar *head, const gchar *name)
{
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);
  gsize length = strlen (name);

  for (guint i = 1; lines[i - 1] && lines[i]; i++)
    if (g_ascii_strncasecmp (lines[i], name, length) == 0 && lines[i][length] == ':')
      return g_strstrip (g_strdup (lines[i] + length + 1));
  return NULL;
}

gchar *
raw_websocket_read_http (RawWebsocket *websocket)
{
  g_autofree gchar *head = NULL;
  g_autofree gchar *length = NULL;
  const gchar *end;
  gsize size;

  while (websocket->in->len == 0 ||
         !(end = g_strstr_len ((gchar *) websocket->in->data, websocket->in->len, "\r\n\r\n")))
    if (websocket->in->len > HEAD_MAX || !raw_websocket_receive (websocket))
      return NULL;
  size = end + 4 - (gchar *) websocket->in->data;
  head = g_strndup ((gchar *) websocket->in->data, size);
  length = get_header (head, "Content-Length");
  size += length ? g_ascii_strtoull (length, NULL, 10) : 0;
  if (!receive_at_least (websocket, size))
    return NULL;
  g_byte_array_remove_range (websocket->in, 0, size);
  return g_steal_pointer (&head);
}

static gchar *
get_accept (const gchar *key)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  guint8 digest[20];
  gsize size = sizeof digest;

  g_checksum_update (checksum, (const guchar *) key, -1);
  g_checksum_update (checksum, (const guchar *) "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", -1);
  g_checksum_get_digest (checksum, digest, &size);
  return g_base64_encode (digest, size);
}

gboolean
raw_websocket_accept_upgrade (RawWebsocket *websocket, const gchar *head)
{
  g_autofree gchar *key = get_header (head, "Sec-WebSocket-Key");
  g_autofree gchar *accept = NULL;
  g_autofree gchar *reply = NULL;

  if (key == NULL)
    return FALSE;
  accept = get_accept (key);
  reply = g_strdup_printf ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
      accept);
  return raw_websocket_send (websocket, reply, strlen (reply));
}

/* ---- WebSocket ---- */

static guint
make_header (guint8 *header, guint opcode, gboolean fin, guint64 size)
{
  guint length = size < 126 ? 0 : size < 65536 ? 2 : 8;

  header[0] = (fin ? 0x80 : 0) | opcode;
  header[1] = length == 0 ? size : length == 2 ? 126 : 127;
  for (guint i = 0; i < length; i++)
    header[2 + i] = size >> (8 * (length - 1 - i));
  return 2 + length;
}

GByteArray *
raw_websocket_make_frame (guint opcode, gboolean fin, gconstpointer data, gsize size)
{
  GByteArray *frame = g_byte_array_sized_new (size + 10);
  guint8 header[10];

  g_byte_array_append (frame, header, make_header (header, opcode, fin, size));
  g_byte_array_set_size (frame, frame->len + size);
  if (data)
    memcpy (frame->data + frame->len - size, data, size);
  else
    memset (frame->data + frame->len - size, 0, size);
  return frame;
}

/* Takes a frame of the client's (masked, whole) from what came: its payload, NULL where the
 * client went. */
static GBytes *
read_frame (RawWebsocket *websocket, guint *opcode)
{
  gsize size, at = 6;
  guint8 *payload;

  if (!receive_at_least (websocket, 6))
    return NULL;
  size = websocket->in->data[1] & 0x7f;
  if (size >= 126) {
    guint n = size == 126 ? 2 : 8;

    at += n;
    if (!receive_at_least (websocket, at))
      return NULL;
    size = 0;
    for (guint i = 0; i < n; i++)
      size = size << 8 | websocket->in->data[2 + i];
  }
  if (!receive_at_least (websocket, at + size))
    return NULL;
  *opcode = websocket->in->data[0] & 0x0f;
  payload = g_malloc (size);
  for (gsize i = 0; i < size; i++)
    payload[i] = websocket->in->data[at + i] ^ websocket->in->data[at - 4 + i % 4];
  g_byte_array_remove_range (websocket->in, 0, at + size);
  return g_bytes_new_take (payload, size);
}

GBytes *
raw_websocket_read_request (RawWebsocket *websocket)
{
  guint opcode;

  for (;;) {
    GBytes *payload = read_frame (websocket, &opcode);

    if (payload == NULL || opcode <= 2)
      return payload;
    g_bytes_unref (payload);
    if (opcode == 8)
      return NULL;
  }
}

/* ---- answers ---- */

static void
add_image (GValue *images, const GValue *picture)
{
  GstStructure *image =
      gst_structure_new ("map", "content_type", G_TYPE_STRING, "image/jpeg", NULL);
  GValue item = G_VALUE_INIT;

  if (picture != NULL)
    gst_structure_set_value (image, "content", picture);
  g_value_init (&item, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&item, image);
  gst_value_array_append_and_take_value (images, &item);
}

GBytes *
raw_websocket_make_answer (GBytes *request, GBytes *picture, const gchar *id, guint images)
{
  g_autoptr (GstStructure) asked = fal_value_from_msgpack (request, NULL, NULL);
  g_autoptr (GstStructure) answer = gst_structure_new_empty ("map");
  GValue list = G_VALUE_INIT;
  g_auto (GValue) own = G_VALUE_INIT;

  if (asked == NULL)
    asked = gst_structure_new_empty ("map");
  g_value_init (&own, G_TYPE_BYTES);
  g_value_set_boxed (&own, picture);
  g_value_init (&list, GST_TYPE_ARRAY);
  for (guint i = 0; i < images; i++)
    add_image (&list, picture ? &own : gst_structure_get_value (asked, "image_bytes"));
  gst_structure_take_value (answer, "images", &list);
  if (id == NULL)
    id = gst_structure_get_string (asked, "request_id");
  if (id && *id)
    gst_structure_set (answer, "request_id", G_TYPE_STRING, id, NULL);
  return fal_value_to_msgpack (answer, NULL);
}
