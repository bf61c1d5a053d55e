/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The proxy: its address, its clients and what it counted. The service and the passages live in a
 * loop of their own; counters and mode are shared, behind one mutex. */
#include "proxy.h"
#include "loop.h"
#include "passage.h"
#include <string.h>

/* Of the events that are counted; the last is the connections. */
typedef guint Counts[FAL_PASSAGE_GONE + 1];

struct _FalProxy {
  gchar *uri;
  gchar *authorization, *route; /* fixed */
  FalLoop *loop;

  GMutex mutex; /* protects the next four */
  FalProxyMode mode;
  guint64 bytes;
  Counts counts;
  gchar *target;

  /* Proxy's thread: */
  GSocketService *service;
  GPtrArray *passages; /* FalPassage */
};

#define COUNT_CONNECTIONS FAL_PASSAGE_GONE

static void
on_told (gpointer user, FalPassage *passage, FalPassageEvent event, const gchar *target)
{
  FalProxy *proxy = user;

  if (event == FAL_PASSAGE_GONE) {
    g_ptr_array_remove (proxy->passages, passage);
    return;
  }
  g_mutex_lock (&proxy->mutex);
  proxy->counts[event]++;
  if (target != NULL) {
    g_free (proxy->target);
    proxy->target = g_strdup (target);
  }
  g_mutex_unlock (&proxy->mutex);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *client, GObject *source, gpointer user)
{
  FalProxy *proxy = user;
  FalPassageRules rules = { .authorization = proxy->authorization, .route = proxy->route };

  g_mutex_lock (&proxy->mutex);
  proxy->counts[COUNT_CONNECTIONS]++;
  rules.mode = proxy->mode;
  rules.bytes = proxy->bytes;
  g_mutex_unlock (&proxy->mutex);
  if (rules.mode == FAL_PROXY_DIES_ON_ACCEPT)
    g_io_stream_close (G_IO_STREAM (client), NULL, NULL);
  else
    g_ptr_array_add (proxy->passages, fal_passage_new (client, &rules, on_told, proxy));
  return TRUE;
}

static void
start (gpointer owner, gpointer data)
{
  FalProxy *proxy = owner;
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  proxy->passages = g_ptr_array_new_with_free_func ((GDestroyNotify) fal_passage_free);
  proxy->service = g_socket_service_new ();
  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (proxy->service), address,
          G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound, &error))
    g_error ("Could not listen on loopback for the proxy: %s", error->message);
  proxy->uri = g_strdup_printf (
      "http://127.0.0.1:%u", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  g_signal_connect (proxy->service, "incoming", G_CALLBACK (on_incoming), proxy);
  g_socket_service_start (proxy->service);
}

static void
stop (gpointer owner, gpointer data)
{
  FalProxy *proxy = owner;

  g_socket_service_stop (proxy->service);
  g_socket_listener_close (G_SOCKET_LISTENER (proxy->service));
  g_clear_object (&proxy->service);
  g_clear_pointer (&proxy->passages, g_ptr_array_unref);
}

/* What a client must send; NULL without a user. */
static gchar *
make_authorization (const FalProxyOptions *options)
{
  g_autofree gchar *pair = NULL, *text = NULL;

  if (options->user == NULL)
    return NULL;
  pair = g_strconcat (options->user, ":", options->password ? options->password : "", NULL);
  text = g_base64_encode ((const guchar *) pair, strlen (pair));
  return g_strconcat ("Basic ", text, NULL);
}

FalProxy *
fal_proxy_new (const FalProxyOptions *options)
{
  static const FalProxyOptions plain = { 0 };
  FalProxy *proxy = g_new0 (FalProxy, 1);

  if (options == NULL)
    options = &plain;
  g_mutex_init (&proxy->mutex);
  proxy->authorization = make_authorization (options);
  proxy->route = g_strdup (options->route);
  proxy->mode = options->mode;
  proxy->bytes = options->bytes;
  proxy->loop = fal_loop_new ("fal-proxy");
  fal_loop_call (proxy->loop, start, proxy, NULL);
  return proxy;
}

void
fal_proxy_free (FalProxy *proxy)
{
  fal_loop_call (proxy->loop, stop, proxy, NULL);
  fal_loop_free (proxy->loop);
  g_mutex_clear (&proxy->mutex);
  g_free (proxy->uri);
  g_free (proxy->authorization);
  g_free (proxy->route);
  g_free (proxy->target);
  g_free (proxy);
}

const gchar *
fal_proxy_get_uri (FalProxy *proxy)
{
  return proxy->uri;
}

void
fal_proxy_set_mode (FalProxy *proxy, FalProxyMode mode, guint64 bytes)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&proxy->mutex);

  proxy->mode = mode;
  proxy->bytes = bytes;
}

static guint
get_count (FalProxy *proxy, guint count)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&proxy->mutex);

  return proxy->counts[count];
}

guint
fal_proxy_get_connections (FalProxy *proxy)
{
  return get_count (proxy, COUNT_CONNECTIONS);
}

guint
fal_proxy_get_tunnels (FalProxy *proxy)
{
  return get_count (proxy, FAL_PASSAGE_TUNNEL);
}

guint
fal_proxy_get_forwards (FalProxy *proxy)
{
  return get_count (proxy, FAL_PASSAGE_FORWARD);
}

guint
fal_proxy_get_refusals (FalProxy *proxy)
{
  return get_count (proxy, FAL_PASSAGE_REFUSED);
}

gchar *
fal_proxy_dup_last_target (FalProxy *proxy)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&proxy->mutex);

  return g_strdup (proxy->target);
}
