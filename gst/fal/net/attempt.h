/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One attempt to connect: a token where one is needed, then the upgrade.
 *
 * It tells by events what comes of it, and knows nobody above. While nobody answers it begins anew
 * every few seconds by itself, until it is given up. Net thread. */
#pragma once

#include "credentials.h"
#include "token-promise.h"
#include "transport.h"
#include "fal/policy/fault.h"
#include "fal/settings/settings.h"
#include "fal/wire/endpoint.h"

G_BEGIN_DECLS

/* After opened() and failed() nothing more is told. Each event may drop the attempt. */
typedef struct {
  /* A token is needed that somebody else gives. */
  void (*request_token) (gpointer user, FalTokenPromise *promise);
  /* The token (borrowed) that the upgrade is about to show. */
  void (*token_chosen) (gpointer user, const gchar *token);
  /* A certificate that did not pass: TRUE where it is good all the same. */
  gboolean (*accept_certificate) (gpointer user, GTlsConnection *tls, GTlsCertificate *certificate,
      GTlsCertificateFlags errors);
  /* The upgrade was accepted: @socket, which the owner takes. */
  void (*opened) (gpointer user, SoupWebsocketConnection *socket);
  void (*failed) (gpointer user, const FalFault *fault, const gchar *what);
} FalAttemptEvents;

/* All belongs to the owner and stays until the attempt is dropped; the transport until it is
 * freed. */
typedef struct {
  FalWay way; /* how it shows who it is */
  const FalEndpoint *endpoint;
  const FalCredentials *credentials;
  FalTransport *transport;
  FalSettings *settings; /* the attempt takes a reference of its own */
} FalAttemptConfig;

typedef struct _FalAttempt FalAttempt;

FalAttempt *fal_attempt_new (
    const FalAttemptConfig *config, const FalAttemptEvents *events, gpointer user);

/* Events may come before it returns. */
void fal_attempt_start (FalAttempt *attempt);

/* It took too long: failed() says so, now or soon. */
void fal_attempt_give_up (FalAttempt *attempt);

/* Ends what is under way, and lets go of the attempt: nothing is told any more. */
void fal_attempt_drop (FalAttempt *attempt);

G_END_DECLS
