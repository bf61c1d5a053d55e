/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The proxy: its address, its connections and what it counted. The service and the connections live
 * in a loop of their own; counters and mode are shared, behind one mutex. */
#include "proxy.h"
#include "loop.h"
#include "loopback-service.h"
#include "proxy-connection.h"
#include <string.h>

struct _FalProxy {
  gchar *uri;
  gchar *authorization, *route; /* these are fixed */
  gboolean anywhere;
  FalProxyTap tap;
  FalProxyUnreachable on_unreachable;
  gpointer user;
  FalLoop *loop;

  GMutex mutex; /* protects the next five */
  FalProxyMode mode;
  guint64 bytes;
  guint accepted;
  guint counts[FAL_PROXY_CONNECTION_CLOSED]; /* of the events before this one */
  gchar *target;

  /* Proxy's thread: */
  FalLoopbackService *service;
  GPtrArray *connections; /* FalProxyConnection */
};

static void
on_event (
    gpointer user, FalProxyConnection *connection, FalProxyConnectionEvent event, const gchar *text)
{
  FalProxy *proxy = user;

  if (event == FAL_PROXY_CONNECTION_CLOSED) {
    g_ptr_array_remove (proxy->connections, connection);
    return;
  }
  g_mutex_lock (&proxy->mutex);
  proxy->counts[event]++;
  if (event == FAL_PROXY_CONNECTION_REQUESTED) {
    g_free (proxy->target);
    proxy->target = g_strdup (text);
  }
  g_mutex_unlock (&proxy->mutex);
  if (event == FAL_PROXY_CONNECTION_UNREACHABLE && proxy->on_unreachable != NULL)
    proxy->on_unreachable (proxy->user, text);
}

static void
on_incoming (GSocketConnection *client, gpointer user)
{
  FalProxy *proxy = user;
  FalProxyConnectionConfig config = { .authorization = proxy->authorization,
    .route = proxy->route,
    .anywhere = proxy->anywhere,
    .tap = proxy->tap,
    .user = proxy->user };

  g_mutex_lock (&proxy->mutex);
  proxy->accepted++;
  config.mode = proxy->mode;
  config.bytes = proxy->bytes;
  g_mutex_unlock (&proxy->mutex);
  if (config.mode == FAL_PROXY_DIES_ON_ACCEPT)
    g_io_stream_close (G_IO_STREAM (client), NULL, NULL);
  else
    g_ptr_array_add (
        proxy->connections, fal_proxy_connection_new (client, &config, on_event, proxy));
}

static void
start (gpointer owner, gpointer data)
{
  FalProxy *proxy = owner;

  proxy->connections = g_ptr_array_new_with_free_func ((GDestroyNotify) fal_proxy_connection_free);
  proxy->service = fal_loopback_service_new (on_incoming, proxy);
  proxy->uri =
      g_strdup_printf ("http://127.0.0.1:%u", fal_loopback_service_get_port (proxy->service));
}

static void
stop (gpointer owner, gpointer data)
{
  FalProxy *proxy = owner;

  g_clear_pointer (&proxy->service, fal_loopback_service_free);
  g_clear_pointer (&proxy->connections, g_ptr_array_unref);
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
  proxy->anywhere = options->anywhere;
  proxy->tap = options->tap;
  proxy->on_unreachable = options->on_unreachable;
  proxy->user = options->user_data;
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

static void
cut_all (gpointer owner, gpointer data)
{
  FalProxy *proxy = owner;

  g_ptr_array_set_size (proxy->connections, 0);
}

void
fal_proxy_cut (FalProxy *proxy)
{
  fal_loop_call (proxy->loop, cut_all, proxy, NULL);
}

static guint
get_count (FalProxy *proxy, FalProxyConnectionEvent event)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&proxy->mutex);

  return proxy->counts[event];
}

guint
fal_proxy_get_connections (FalProxy *proxy)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&proxy->mutex);

  return proxy->accepted;
}

guint
fal_proxy_get_tunnels (FalProxy *proxy)
{
  return get_count (proxy, FAL_PROXY_CONNECTION_TUNNEL);
}

guint
fal_proxy_get_forwards (FalProxy *proxy)
{
  return get_count (proxy, FAL_PROXY_CONNECTION_FORWARD);
}

guint
fal_proxy_get_refusals (FalProxy *proxy)
{
  return get_count (proxy, FAL_PROXY_CONNECTION_REFUSED);
}

gchar *
fal_proxy_dup_last_target (FalProxy *proxy)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&proxy->mutex);

  return g_strdup (proxy->target);
}
