/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "name-server.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>

struct _NameServer {
  GSocket *socket;
  GInetAddress *result; /* of IPv4 */
  GCancellable *end;
  GThread *thread;
  gint known, questions; /* atomic */
};

/* ---- the protocol (RFC 1035) ---- */

#define HEAD 12 /* bytes of a message before its question */
#define MAX_MESSAGE 512
#define TYPE_A 1

/* The length of the head and the one question, behind which there may be more; 0: there is none. */
static gsize
measure_question (const guint8 *message, gsize size)
{
  gsize i = HEAD;

  while (i < size && message[i] != 0)
    i += 1 + message[i]; /* a label of the name */
  i += 1 + 4;            /* the name's end, type and class */
  return i <= size ? i : 0;
}

/* Makes the answer of the question, in place; @message has MAX_MESSAGE bytes. Its length. */
static gsize
answer (NameServer *server, guint8 *message, gsize question)
{
  /* The name of the question, type A, class IN, no time to live, four bytes. */
  static const guint8 record[] = { 0xc0, HEAD, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4 };
  gboolean known = g_atomic_int_get (&server->known);
  gboolean has_record = known && message[question - 3] == TYPE_A;

  message[2] = 0x81;                /* an answer, and recursion was desired */
  message[3] = known ? 0x80 : 0x83; /* recursion is available; there is no such name */
  memset (message + 4, 0, HEAD - 4);
  message[5] = 1;          /* question */
  message[7] = has_record; /* answers */
  if (!has_record)
    return question;
  memcpy (message + question, record, sizeof record);
  memcpy (message + question + sizeof record, g_inet_address_to_bytes (server->result), 4);
  return question + sizeof record + 4;
}

static gpointer
serve (gpointer data)
{
  NameServer *server = data;
  guint8 message[MAX_MESSAGE];

  while (!g_cancellable_is_cancelled (server->end)) {
    g_autoptr (GSocketAddress) from = NULL;
    gssize size = g_socket_receive_from (
        server->socket, &from, (gchar *) message, sizeof message / 2, server->end, NULL);
    gsize question = size > 0 ? measure_question (message, size) : 0;

    if (question == 0)
      continue;
    g_atomic_int_inc (&server->questions);
    g_socket_send_to (server->socket, from, (gchar *) message, answer (server, message, question),
        server->end, NULL);
  }
  return NULL;
}

/* ---- life ---- */

NameServer *
name_server_new (const gchar *result)
{
  NameServer *server = g_new0 (NameServer, 1);
  g_autoptr (GInetAddress) any = g_inet_address_new_any (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new (any, 53);
  g_autoptr (GError) error = NULL;

  server->result = g_inet_address_new_from_string (result);
  server->end = g_cancellable_new ();
  server->known = TRUE;
  server->socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &error);
  if (server->socket)
    g_socket_bind (server->socket, where, FALSE, &error);
  g_assert_no_error (error);
  server->thread = g_thread_new ("name-server", serve, server);
  return server;
}

void
name_server_free (NameServer *server)
{
  g_cancellable_cancel (server->end);
  g_thread_join (server->thread);
  g_object_unref (server->socket);
  g_object_unref (server->result);
  g_object_unref (server->end);
  g_free (server);
}

void
name_server_set_known (NameServer *server, gboolean known)
{
  g_atomic_int_set (&server->known, known);
}

guint
name_server_get_questions (NameServer *server)
{
  return g_atomic_int_get (&server->questions);
}

/* ---- whom this machine asks ---- */

/* @text in place of the file at @path, for this program alone. What is wrong; NULL: nothing. */
static gchar *
put_over (const gchar *path, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *own = NULL;
  gint fd = g_file_open_tmp ("fal-names-XXXXXX", &own, &error);
  gchar *wrong = NULL;

  if (fd < 0 || !g_close (fd, &error) || !g_file_set_contents (own, text, -1, &error))
    wrong = g_strdup (error->message);
  else if (mount (own, path, NULL, MS_BIND, NULL) != 0)
    wrong = g_strdup_printf ("nothing can be put over %s: %s", path, g_strerror (errno));
  if (own)
    g_unlink (own); /* what is mounted stays */
  return wrong;
}

gchar *
name_server_be_asked (const gchar *address)
{
  g_autofree gchar *servers = g_strdup_printf (
      "nameserver %s\noptions timeout:%d attempts:1\n", address, NAME_SERVER_PATIENCE);
  gchar *wrong = put_over ("/etc/resolv.conf", servers);

  return wrong ? wrong : put_over ("/etc/nsswitch.conf", "hosts: files dns\n");
}
