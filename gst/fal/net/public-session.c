/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "public-session.h"
#include "late-returns.h"

#define KEEP_CONNECTION 5 /* seconds without use */
#define MAX_CONNECTIONS 8
#define REFUSED "fal-address-refused"

struct _FalPublicSession {
  SoupSession *soup;
  FalSettings *settings;
  FalAddressCheck is_allowed;
  FalSocketList *sockets;
};

/* ---- Addresses ---- */

/* The proxy's own address is the user's choice. A name is the proxy's to look up, but it is not
 * asked for an address that would be refused here. */
static gboolean
is_allowed (FalPublicSession *session, GSocketAddress *address)
{
  g_autoptr (GInetAddress) asked = NULL;

  if (G_IS_PROXY_ADDRESS (address)) {
    asked = g_inet_address_new_from_string (
        g_proxy_address_get_destination_hostname (G_PROXY_ADDRESS (address)));
    return asked == NULL || session->is_allowed (asked);
  }
  return G_IS_INET_SOCKET_ADDRESS (address) &&
         session->is_allowed (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

/* GLib connects as soon as this returns. It may try several addresses at once, and tells of each. A
 * closed socket fails without a packet; to cancel would be too late for this address. */
static void
on_connecting (FalPublicSession *session, SoupMessage *message, GSocketConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection);
  g_autoptr (GSocketAddress) address = g_socket_connection_get_remote_address (connection, NULL);

  if (is_allowed (session, address)) {
    fal_socket_list_add (
        session->sockets, session, soup_message_get_connection_id (message), socket);
    return;
  }
  g_socket_close (socket, NULL);
  g_object_set_data (G_OBJECT (message), REFUSED, GUINT_TO_POINTER (TRUE));
}

gboolean
fal_public_session_has_refused (SoupMessage *message)
{
  return g_object_get_data (G_OBJECT (message), REFUSED) != NULL;
}

void
fal_public_session_cut (FalPublicSession *session, SoupMessage *message)
{
  fal_socket_list_cut (session->sockets, session, soup_message_get_connection_id (message));
}

/* ---- Requests ---- */

/* One picture a time on a connection: nothing is gained by HTTP/2, and a body that is not wanted
 * any more could only be read to its end there. */
static void
on_network_event (
    SoupMessage *message, GSocketClientEvent event, GIOStream *stream, FalPublicSession *session)
{
  const gchar *const protocols[] = { "http/1.1", NULL };

  if (event == G_SOCKET_CLIENT_CONNECTING)
    on_connecting (session, message, G_SOCKET_CONNECTION (stream));
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && G_IS_TLS_CONNECTION (stream))
    g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (stream), protocols);
}

/* Emitted only where something is wrong. */
static gboolean
on_certificate (SoupMessage *message, GTlsCertificate *certificate, GTlsCertificateFlags errors,
    FalPublicSession *session)
{
  return (errors & session->settings->tls_validation_flags) == 0;
}

static void
drop_session (gpointer session, GClosure *closure)
{
  fal_public_session_unref (session);
}

/* The handler holds the session. */
static void
connect_handler (
    FalPublicSession *session, SoupMessage *message, const gchar *signal, GCallback handler)
{
  g_signal_connect_data (
      message, signal, handler, fal_public_session_ref (session), drop_session, 0);
}

/* A host that demands a password is not answered. The session has what could answer it, since a
 * proxy may demand the password that its address holds; and without it libsoup would gather the
 * body of such a demand in memory, however long it is. */
SoupMessage *
fal_public_session_new_message (FalPublicSession *session, GUri *uri)
{
  SoupMessage *message = soup_message_new_from_uri (SOUP_METHOD_GET, uri);

  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  soup_message_disable_feature (message, SOUP_TYPE_AUTH_MANAGER);
#if SOUP_CHECK_VERSION(3, 4, 0)
  soup_message_set_force_http1 (message, TRUE);
#endif
  connect_handler (session, message, "network-event", G_CALLBACK (on_network_event));
  connect_handler (session, message, "accept-certificate", G_CALLBACK (on_certificate));
  return message;
}

/* ---- The session ---- */

static void
set_proxy (SoupSession *soup, const gchar *proxy)
{
  g_autoptr (GProxyResolver) resolver = NULL;

  if (proxy == NULL || *proxy == '\0')
    return;
  resolver = g_simple_proxy_resolver_new (proxy, NULL);
  soup_session_set_proxy_resolver (soup, resolver);
}

/* Without cookies, sniffer and decompression: none is wanted, each is one more way in. */
static SoupSession *
make_soup (const FalSettings *settings)
{
  SoupSession *soup = soup_session_new_with_options ("timeout", 0, "idle-timeout", KEEP_CONNECTION,
      "max-conns", MAX_CONNECTIONS, "max-conns-per-host", MAX_CONNECTIONS, NULL);

  soup_session_set_user_agent (soup, settings->user_agent);
  /* Setting none would mean to trust nobody, not the system's. */
  if (settings->tls_database != NULL)
    soup_session_set_tls_database (soup, settings->tls_database);
  set_proxy (soup, settings->proxy);
  fal_late_returns_watch (soup);
  soup_session_remove_feature_by_type (soup, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (soup, SOUP_TYPE_CONTENT_SNIFFER);
  return soup;
}

FalPublicSession *
fal_public_session_new (
    FalSettings *settings, FalAddressCheck is_allowed_address, FalSocketList *sockets)
{
  FalPublicSession *session = g_rc_box_new (FalPublicSession);

  session->soup = make_soup (settings);
  session->settings = fal_settings_ref (settings);
  session->is_allowed = is_allowed_address;
  session->sockets = fal_socket_list_ref (sockets);
  return session;
}

FalPublicSession *
fal_public_session_ref (FalPublicSession *session)
{
  return g_rc_box_acquire (session);
}

/* libsoup's operations hold its session: none is under way when the last reference goes. */
static void
session_clear (gpointer data)
{
  FalPublicSession *session = data;

  g_object_unref (session->soup);
  fal_settings_unref (session->settings);
  fal_socket_list_unref (session->sockets);
}

void
fal_public_session_unref (FalPublicSession *session)
{
  g_rc_box_release_full (session, session_clear);
}

gboolean
fal_public_session_fits (FalPublicSession *session, const FalSettings *settings)
{
  const FalSettings *own = session->settings;

  return g_strcmp0 (own->proxy, settings->proxy) == 0 &&
         g_strcmp0 (own->user_agent, settings->user_agent) == 0 &&
         own->tls_database == settings->tls_database &&
         own->tls_validation_flags == settings->tls_validation_flags;
}

SoupSession *
fal_public_session_get_soup (FalPublicSession *session)
{
  return session->soup;
}
