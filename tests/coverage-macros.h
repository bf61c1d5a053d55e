/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Read before each file of gst in the build of tests/coverage. Macros of GLib and GStreamer ask
 * questions of their own, such as whether a value is NULL, whose answers would be branches of the
 * line that has the macro. Here they are functions of the same meaning, so that what is counted was
 * written in that line. */
#pragma once

#include <gst/gst.h>

/* Is it of this type? */
#undef G_TYPE_CHECK_VALUE_TYPE
#define G_TYPE_CHECK_VALUE_TYPE(value, type) (g_type_check_value_holds ((value), (type)))
#undef G_TYPE_CHECK_VALUE
#define G_TYPE_CHECK_VALUE(value) (g_type_check_value (value))
#undef G_TYPE_CHECK_INSTANCE_TYPE
#define G_TYPE_CHECK_INSTANCE_TYPE(instance, type)                                                 \
  (g_type_check_instance_is_a ((GTypeInstance *) (instance), (type)))
#undef GST_VALUE_HOLDS_ARRAY
#define GST_VALUE_HOLDS_ARRAY(value) (g_type_check_value_holds ((value), GST_TYPE_ARRAY))
#undef GST_VALUE_HOLDS_LIST
#define GST_VALUE_HOLDS_LIST(value) (g_type_check_value_holds ((value), GST_TYPE_LIST))
#undef GST_VALUE_HOLDS_STRUCTURE
#define GST_VALUE_HOLDS_STRUCTURE(value) (g_type_check_value_holds ((value), GST_TYPE_STRUCTURE))
#undef GST_VALUE_HOLDS_BUFFER
#define GST_VALUE_HOLDS_BUFFER(value) (g_type_check_value_holds ((value), GST_TYPE_BUFFER))

/* What the compiler is to expect has both ways all the same. */
#undef G_LIKELY
#define G_LIKELY(condition) (condition)
#undef G_UNLIKELY
#define G_UNLIKELY(condition) (condition)

/* From GLib 2.76 on these look at what is known when they are compiled. */
#undef g_str_has_prefix
#undef g_str_has_suffix
#undef g_string_append
#undef g_string_append_c
#undef g_string_append_len
#undef g_string_truncate

/* A function that is made part of each of its callers would be counted in each. */
#define always_inline unused
