/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the session tells its owner: troubles, without a secret in them; frames that were dropped;
 * the story of the stream. Any thread; the owner is called on the caller's, with no lock held. */
#pragma once

#include "events.h"

G_BEGIN_DECLS

typedef struct _FalReporter FalReporter;

/* @owner must live longer. */
FalReporter *fal_reporter_new (const FalSessionOwner *owner);
void fal_reporter_free (FalReporter *reporter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalReporter, fal_reporter_free)

/* The address that messages name; NULL: none. */
void fal_reporter_set_endpoint (FalReporter *reporter, const gchar *endpoint);

/* What no text may hold: what a server says may hold any of it. To be told of before anybody uses
 * the settings; of older ones than were told already nothing is taken. */
void fal_reporter_set_settings (FalReporter *reporter, const FalSettings *settings);
/* The API key that api-key-file had; or NULL. */
void fal_reporter_set_file_key (FalReporter *reporter, const gchar *api_key);
/* The token that the connection was opened with; or NULL. */
void fal_reporter_set_last_token (FalReporter *reporter, const gchar *token);
/* @text without any of them. */
gchar *fal_reporter_redact (FalReporter *reporter, const gchar *text);

void fal_reporter_tell_state (FalReporter *reporter, FalDialerState state);

/* A trouble: the one way there. @details is taken; may be NULL. */
void fal_reporter_tell (
    FalReporter *reporter, gboolean fatal, const GError *error, GstStructure *details);
/* A warning about a single frame, at most one a second. @details as above. */
void fal_reporter_warn (FalReporter *reporter, const GError *error, GstStructure *details);

/* One line of the story of the stream; it must hold no secret. */
void fal_reporter_note (FalReporter *reporter, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

/* @drops (FalDrop) is taken; NULL: there are none. */
void fal_reporter_tell_drops (FalReporter *reporter, GPtrArray *drops);

G_END_DECLS
