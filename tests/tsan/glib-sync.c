/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ThreadSanitizer cannot see by itself: GLib's mutexes are futexes, its reference counts and
 * hand-overs atomics, in libraries that are not built with it. Each function here stands before the
 * library's own of that name, for the test program, the plugin and all libraries, tells the
 * sanitizer what the other promises and calls it. Only calls from one library into another come by:
 * what GLib locks for itself stays unseen.
 *
 * Nothing is told that does not hold: a lock is a lock; whoever lets go of a reference comes before
 * whoever lets go of the last one; whoever puts something in comes before whoever takes it out. */
#include <dlfcn.h>
#include <gst/gst.h>
#include <sanitizer/tsan_interface.h>

/* Macros that lead to the functions of the same name. */
#undef g_atomic_ref_count_dec
#undef g_object_unref
#undef g_once_init_enter
#undef g_once_init_leave

/* Not judged is what libraries that the sanitizer does not see into read and write by way of libc,
 * such as malloc(), free() and memcpy(): why one comes before the other stays within them. */
const char *__tsan_default_options (void);

const char *
__tsan_default_options (void)
{
  return "ignore_interceptors_accesses=1:second_deadlock_stack=1";
}

/* GStreamer's registry and its formats are locked before the types where plugins are looked for,
 * and after them elsewhere, all in the one thread that starts; its base classes, GstAggregator above
 * all, take their own locks in more than one order: not ours to order. Ours are judged by the tests
 * without such elements, which most are. */
const char *__tsan_default_suppressions (void);

const char *
__tsan_default_suppressions (void)
{
  return "deadlock:gst_registry_get\n"
         "deadlock:gst_format_get_by_nick\n"
         "deadlock:libgstbase-1.0.so\n";
}

static gpointer
find_next (gpointer *kept, const gchar *name)
{
  gpointer next = g_atomic_pointer_get (kept);

  if (next == NULL) {
    next = dlsym (RTLD_NEXT, name);
    g_assert (next);
    g_atomic_pointer_set (kept, next);
  }
  return next;
}

/* The library's own function. */
#define NEXT(function)                                                                             \
  ({                                                                                               \
    static gpointer kept;                                                                          \
    (__typeof__ (&function)) find_next (&kept, #function);                                         \
  })

/* ---- mutexes ---- */

void
g_mutex_init (GMutex *mutex)
{
  NEXT (g_mutex_init) (mutex);
  __tsan_mutex_create (mutex, __tsan_mutex_not_static);
}

/* Whoever clears a mutex comes after all who held it: some count of references, which is not seen,
 * says so. */
void
g_mutex_clear (GMutex *mutex)
{
  g_mutex_lock (mutex);
  g_mutex_unlock (mutex);
  __tsan_mutex_destroy (mutex, __tsan_mutex_not_static);
  NEXT (g_mutex_clear) (mutex);
}

void
g_mutex_lock (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  NEXT (g_mutex_lock) (mutex);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked;

  __tsan_mutex_pre_lock (mutex, __tsan_mutex_try_lock);
  locked = NEXT (g_mutex_trylock) (mutex);
  __tsan_mutex_post_lock (
      mutex, __tsan_mutex_try_lock | (locked ? 0 : __tsan_mutex_try_lock_failed), 0);
  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  NEXT (g_mutex_unlock) (mutex);
  __tsan_mutex_post_unlock (mutex, 0);
}

/* ---- conditions ---- */

/* Whoever waits has let go of the mutex, and holds it again afterwards. */
void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
  NEXT (g_cond_wait) (cond, mutex);
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end)
{
  gboolean signalled;

  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
  signalled = NEXT (g_cond_wait_until) (cond, mutex, end);
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
  return signalled;
}

/* ---- once ---- */

/* Those who come later look at @location with an atomic of their own, which the sanitizer sees. */
void
g_once_init_leave (volatile void *location, gsize result)
{
  __tsan_release ((void *) location);
  NEXT (g_once_init_leave) (location, result);
}

gboolean
g_once_init_enter (volatile void *location)
{
  gboolean first = NEXT (g_once_init_enter) (location);

  __tsan_acquire ((void *) location);
  return first;
}

/* ---- references ---- */

/* Whoever let go before is known to have done so only when the count has been taken down. */
gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  gboolean last;

  __tsan_release (count);
  last = NEXT (g_atomic_ref_count_dec) (count);
  if (last)
    __tsan_acquire (count);
  return last;
}

static __thread GDestroyNotify clear_box;

static void
clear_acquired (gpointer box)
{
  GDestroyNotify clear = clear_box;

  __tsan_acquire (box);
  if (clear)
    clear (box);
}

void
g_atomic_rc_box_release_full (gpointer box, GDestroyNotify clear)
{
  GDestroyNotify outer = clear_box;

  __tsan_release (box);
  clear_box = clear;
  NEXT (g_atomic_rc_box_release_full) (box, clear_acquired);
  clear_box = outer;
}

/* The last one finalizes within. */
void
g_object_unref (gpointer object)
{
  __tsan_release (object);
  __tsan_acquire (object);
  NEXT (g_object_unref) (object);
}

/* Buffers may share their memory, and whoever lets go of one lets go of that. */
static void
release_memory (GstBuffer *buffer)
{
  for (guint i = 0; i < gst_buffer_n_memory (buffer); i++)
    __tsan_release (gst_buffer_peek_memory (buffer, i));
}

void
gst_mini_object_unref (GstMiniObject *object)
{
  if (GST_MINI_OBJECT_TYPE (object) == GST_TYPE_BUFFER)
    release_memory ((GstBuffer *) object);
  __tsan_release (object);
  NEXT (gst_mini_object_unref) (object);
}

/* What only one holds may be changed: after whoever let go of it. */
gboolean
gst_mini_object_is_writable (const GstMiniObject *object)
{
  gboolean writable = NEXT (gst_mini_object_is_writable) (object);

  __tsan_acquire ((void *) object);
  return writable;
}

GstMiniObject *
gst_mini_object_make_writable (GstMiniObject *object)
{
  GstMiniObject *writable = NEXT (gst_mini_object_make_writable) (object);

  __tsan_acquire (writable);
  return writable;
}

/* A buffer of a pool comes back to it once the last one has let go of it and of its memory. */
GstFlowReturn
gst_buffer_pool_acquire_buffer (
    GstBufferPool *pool, GstBuffer **buffer, GstBufferPoolAcquireParams *params)
{
  GstFlowReturn flow = NEXT (gst_buffer_pool_acquire_buffer) (pool, buffer, params);

  if (flow != GST_FLOW_OK)
    return flow;
  __tsan_acquire (*buffer);
  for (guint i = 0; i < gst_buffer_n_memory (*buffer); i++)
    __tsan_acquire (gst_buffer_peek_memory (*buffer, i));
  return flow;
}

/* Memory that whoever gave it wants back. */
typedef struct {
  GstMemory *memory; /* not owned: it is about to be freed */
  gpointer user;
  GDestroyNotify notify;
} Wrapped;

static void
give_back (gpointer data)
{
  g_autofree Wrapped *wrapped = data;

  __tsan_acquire (wrapped->memory);
  if (wrapped->notify)
    wrapped->notify (wrapped->user);
}

/* It comes back once the last one has let go of the buffer and of its memory. */
GstBuffer *
gst_buffer_new_wrapped_full (GstMemoryFlags flags, gpointer data, gsize most, gsize offset,
    gsize size, gpointer user, GDestroyNotify notify)
{
  Wrapped *wrapped = g_new (Wrapped, 1);
  GstBuffer *buffer =
      NEXT (gst_buffer_new_wrapped_full) (flags, data, most, offset, size, wrapped, give_back);

  *wrapped = (Wrapped) { gst_buffer_peek_memory (buffer, 0), user, notify };
  return buffer;
}

/* ---- what is put in a queue ---- */

void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  __tsan_release (queue);
  NEXT (g_async_queue_push) (queue, data);
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data = NEXT (g_async_queue_pop) (queue);

  __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data = NEXT (g_async_queue_try_pop) (queue);

  __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  gpointer data = NEXT (g_async_queue_timeout_pop) (queue, timeout);

  __tsan_acquire (queue);
  return data;
}

/* ---- what is called on another thread ---- */

typedef struct {
  GSource *source;
  GSourceFunc function;
  gpointer data;
  GDestroyNotify destroy;
} Call;

static gboolean
call (gpointer data)
{
  const Call *it = data;

  __tsan_acquire (data);
  __tsan_acquire (it->source);
  return it->function (it->data);
}

static void
call_free (gpointer data)
{
  const Call *it = data;

  __tsan_acquire (data);
  __tsan_acquire (it->source);
  if (it->destroy)
    it->destroy (it->data);
  g_free (data);
}

/* Other sources call functions of other shapes; none of those hands anything over. */
void
g_source_set_callback (GSource *source, GSourceFunc function, gpointer data, GDestroyNotify destroy)
{
  Call *it;

  if (source->source_funcs != &g_idle_funcs && source->source_funcs != &g_timeout_funcs) {
    NEXT (g_source_set_callback) (source, function, data, destroy);
    return;
  }
  it = g_new (Call, 1);
  *it = (Call){ source, function, data, destroy };
  __tsan_release (it);
  NEXT (g_source_set_callback) (source, call, it, call_free);
}

guint
g_source_attach (GSource *source, GMainContext *context)
{
  __tsan_release (source);
  return NEXT (g_source_attach) (source, context);
}

typedef struct {
  GFunc function;
  gpointer data;
} Work;

static void
work (gpointer item, gpointer data)
{
  const Work *it = data;

  __tsan_acquire (item);
  it->function (item, it->data);
}

/* A pool lives as long as the process, and what is told of it here with it. */
GThreadPool *
g_thread_pool_new (GFunc function, gpointer data, gint most, gboolean exclusive, GError **error)
{
  Work *it = g_new (Work, 1);

  *it = (Work){ function, data };
  return NEXT (g_thread_pool_new) (work, it, most, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer item, GError **error)
{
  __tsan_release (item);
  return NEXT (g_thread_pool_push) (pool, item, error);
}
