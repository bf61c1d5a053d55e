/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For targets that play the whole element, which is part of the program. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* To be called by LLVMFuzzerInitialize(). @program: its name. No plugin of the system is loaded,
 * and nothing is asked of the environment. */
void whole_element_init (gchar *program);

G_END_DECLS
