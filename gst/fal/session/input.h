/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session's side towards upstream. Holds nothing: what comes goes to the shared state. On
 * upstream's streaming thread, which waits here where no frame may be lost. */
#pragma once

#include "reporter.h"
#include "shared-state.h"

G_BEGIN_DECLS

/* As fal_session_push() has it; the sample came at running time @running. */
GstFlowReturn fal_input_push (
    FalSharedState *state, FalReporter *reporter, GstSample *sample, GstClockTime running);

G_END_DECLS
