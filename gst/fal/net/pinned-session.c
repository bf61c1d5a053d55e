/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The route to one https host. Net thread.
 *
 * libsoup connects to what it gets as "remote-connectable", and asks TLS for that object's identity
 * instead of the link's. So it gets a GNetworkAddress: its name is what TLS asks for, in SNI and in
 * the certificate, but it enumerates addresses that are known already. */
#include "pinned-session.h"

#include <string.h>

#define KEEP_CONNECTION 5 /* seconds without use */
#define MAX_CONNECTIONS 8

/* ---- A name with its addresses ---- */

/* To TLS a name; to whoever connects, the addresses that were found and checked. */
typedef struct {
  GNetworkAddress parent;
  GList *addresses; /* GSocketAddress */
} Target;

typedef GNetworkAddressClass TargetClass;

typedef struct {
  GSocketAddressEnumerator parent;
  Target *target;
  GList *next;
} Walk;

typedef GSocketAddressEnumeratorClass WalkClass;

static GType walk_get_type (void);
static GType target_get_type (void);
static void target_connectable_init (GSocketConnectableIface *iface);

G_DEFINE_TYPE (Walk, walk, G_TYPE_SOCKET_ADDRESS_ENUMERATOR)
G_DEFINE_TYPE_WITH_CODE (Target, target, G_TYPE_NETWORK_ADDRESS,
    G_IMPLEMENT_INTERFACE (G_TYPE_SOCKET_CONNECTABLE, target_connectable_init))

static void
walk_init (Walk *walk)
{
}

static GSocketAddress *
walk_next (GSocketAddressEnumerator *enumerator, GCancellable *cancellable, GError **error)
{
  Walk *walk = (Walk *) enumerator;
  GList *here = walk->next;

  if (here == NULL)
    return NULL;
  walk->next = here->next;
  return g_object_ref (here->data);
}

static void
walk_finalize (GObject *object)
{
  g_object_unref (((Walk *) object)->target);
  G_OBJECT_CLASS (walk_parent_class)->finalize (object);
}

static void
walk_class_init (WalkClass *class)
{
  class->next = walk_next;
  G_OBJECT_CLASS (class)->finalize = walk_finalize;
}

static void
target_init (Target *target)
{
}

static void
target_finalize (GObject *object)
{
  g_list_free_full (((Target *) object)->addresses, g_object_unref);
  G_OBJECT_CLASS (target_parent_class)->finalize (object);
}

static void
target_class_init (TargetClass *class)
{
  G_OBJECT_CLASS (class)->finalize = target_finalize;
}

static GSocketAddressEnumerator *
target_enumerate (GSocketConnectable *connectable)
{
  Walk *walk = g_object_new (walk_get_type (), NULL);

  walk->target = g_object_ref ((Target *) connectable);
  walk->next = walk->target->addresses;
  return G_SOCKET_ADDRESS_ENUMERATOR (walk);
}

static void
target_connectable_init (GSocketConnectableIface *iface)
{
  iface->enumerate = target_enumerate;
  iface->proxy_enumerate = target_enumerate;
}

/* @addresses: GInetAddress. */
static GSocketConnectable *
target_new (const gchar *host, guint16 port, GList *addresses)
{
  Target *target = g_object_new (
      target_get_type (), "hostname", host, "port", (guint) port, "scheme", "https", NULL);

  for (GList *l = addresses; l != NULL; l = l->next)
    target->addresses =
        g_list_append (target->addresses, g_inet_socket_address_new (l->data, port));
  return G_SOCKET_CONNECTABLE (target);
}

/* ---- The route ---- */

static void
note_socket (FalPinnedSession *route, GIOStream *stream)
{
  GWeakRef *ref;

  if (!G_IS_SOCKET_CONNECTION (stream))
    return;
  ref = g_new (GWeakRef, 1);
  g_weak_ref_init (ref, g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)));
  g_ptr_array_add (route->sockets, ref);
}

/* One picture a time on a connection: nothing is gained by HTTP/2, and a body that is not wanted
 * any more could only be read to its end there. */
static void
on_network_event (
    SoupMessage *message, GSocketClientEvent event, GIOStream *stream, FalPinnedSession *route)
{
  const gchar *const protocols[] = { "http/1.1", NULL };

  if (event == G_SOCKET_CLIENT_CONNECTING)
    note_socket (route, stream);
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && G_IS_TLS_CONNECTION (stream))
    g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (stream), protocols);
}

/* Emitted only where something is wrong. */
static gboolean
on_certificate (SoupMessage *message, GTlsCertificate *certificate, GTlsCertificateFlags errors,
    FalPinnedSession *route)
{
  return (errors & route->tls_validation_flags) == 0;
}

SoupMessage *
fal_pinned_session_make_message (FalPinnedSession *route, GUri *uri)
{
  SoupMessage *message = soup_message_new_from_uri (SOUP_METHOD_GET, uri);

  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
#if SOUP_CHECK_VERSION(3, 4, 0)
  soup_message_set_force_http1 (message, TRUE);
#endif
  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event), route);
  g_signal_connect (message, "accept-certificate", G_CALLBACK (on_certificate), route);
  return message;
}

static SoupSession *
make_direct (const FalPinnedSessionConfig *config)
{
  g_autoptr (GSocketConnectable) target =
      target_new (config->host, config->port, config->addresses);

  return soup_session_new_with_options ("remote-connectable", target, "proxy-resolver", NULL,
      "max-conns", MAX_CONNECTIONS, "max-conns-per-host", MAX_CONNECTIONS, NULL);
}

static SoupSession *
make_proxied (const FalPinnedSessionConfig *config)
{
  g_autoptr (GProxyResolver) resolver = g_simple_proxy_resolver_new (config->proxy, NULL);

  return soup_session_new_with_options ("proxy-resolver", resolver, "max-conns", MAX_CONNECTIONS,
      "max-conns-per-host", MAX_CONNECTIONS, NULL);
}

/* Without cookies, sniffer and decompression: none is wanted, each is one more way in. What answers
 * a demand for a password stays only where the proxy's stands in its address. */
static SoupSession *
make_session (const FalPinnedSessionConfig *config)
{
  SoupSession *soup = config->proxy ? make_proxied (config) : make_direct (config);

  g_object_set (soup, "timeout", 0, "idle-timeout", KEEP_CONNECTION, NULL);
  soup_session_set_user_agent (soup, config->user_agent);
  if (config->tls_database != NULL)
    soup_session_set_tls_database (soup, config->tls_database);
  if (config->proxy == NULL || strchr (config->proxy, '@') == NULL)
    soup_session_remove_feature_by_type (soup, SOUP_TYPE_AUTH_MANAGER);
  soup_session_remove_feature_by_type (soup, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (soup, SOUP_TYPE_CONTENT_SNIFFER);
  return soup;
}

FalPinnedSession *
fal_pinned_session_new (const FalPinnedSessionConfig *config)
{
  FalPinnedSession *route = g_rc_box_new0 (FalPinnedSession);

  route->host = g_strdup (config->host);
  route->port = config->port;
  route->soup = make_session (config);
  route->tls_validation_flags = config->tls_validation_flags;
  route->sockets = g_ptr_array_ref (config->sockets);
  return route;
}

FalPinnedSession *
fal_pinned_session_ref (FalPinnedSession *route)
{
  return g_rc_box_acquire (route);
}

static void
route_clear (gpointer data)
{
  FalPinnedSession *route = data;

  soup_session_abort (route->soup);
  g_object_unref (route->soup);
  g_ptr_array_unref (route->sockets);
  g_free (route->host);
}

void
fal_pinned_session_unref (FalPinnedSession *route)
{
  g_rc_box_release_full (route, route_clear);
}
