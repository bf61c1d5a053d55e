/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loopback service: a GSocketService and its port. The thread of its context. */
#include "loopback-service.h"

struct _FalLoopbackService {
  GSocketService *service;
  guint port;
  FalLoopbackServiceFunc func;
  gpointer user;
};

static gboolean
on_incoming (GSocketService *source, GSocketConnection *connection, GObject *unused, gpointer user)
{
  FalLoopbackService *service = user;

  service->func (connection, service->user);
  return TRUE;
}

static guint
listen_on_loopback (GSocketService *service)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (service), address, G_SOCKET_TYPE_STREAM,
          G_SOCKET_PROTOCOL_TCP, NULL, &bound, &error))
    g_error ("Could not listen on loopback: %s", error->message);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

FalLoopbackService *
fal_loopback_service_new (FalLoopbackServiceFunc func, gpointer user)
{
  FalLoopbackService *service = g_new0 (FalLoopbackService, 1);

  service->func = func;
  service->user = user;
  service->service = g_socket_service_new ();
  service->port = listen_on_loopback (service->service);
  g_signal_connect (service->service, "incoming", G_CALLBACK (on_incoming), service);
  g_socket_service_start (service->service);
  return service;
}

void
fal_loopback_service_free (FalLoopbackService *service)
{
  g_socket_service_stop (service->service);
  g_socket_listener_close (G_SOCKET_LISTENER (service->service));
  g_signal_handlers_disconnect_by_data (service->service, service);
  g_object_unref (service->service);
  g_free (service);
}

guint
fal_loopback_service_get_port (FalLoopbackService *service)
{
  return service->port;
}
