/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's signals, and the thread on which an application makes a token. */
#include "gstfalsignals.h"

enum {
  REQUEST_TOKEN,
  ACCEPT_CERTIFICATE,
  ENCODE_MESSAGE,
  DECODE_MESSAGE,
  RESULT,
  SEND,
  UNSET,
  RECONNECT,
  CLEAR,
  CLOSE,
  RESET_STATS,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* An accumulator: no handler is called after one that returned something. */
static gboolean
stop_at_first (GSignalInvocationHint *hint, GValue *result, const GValue *answer, gpointer data)
{
  gpointer boxed = G_VALUE_HOLDS_BOXED (answer) ? g_value_get_boxed (answer) : NULL;

  if (boxed)
    g_value_copy (answer, result);
  return boxed == NULL;
}

/**
 * GstFalRealtimeFilter::request-token:
 * @element: the element
 * @endpoint: what the token is for: "owner/alias/realtime"
 *
 * Asks for a token for the next connection, for which a server of the application's has the key.
 * Emitted on a thread of its own for each question, so that a handler may wait, for another thread
 * too; a state change does not wait for it. It is to answer within
 * #GstFalRealtimeFilter:connect-timeout.
 *
 * Returns: (transfer full) (nullable): a token (JWT) for the app, or %NULL where there is none
 */
/**
 * GstFalRealtimeFilter::accept-certificate:
 * @element: the element
 * @connection: the TLS connection
 * @certificate: the server's certificate
 * @errors: what is wrong with it, of what #GstFalRealtimeFilter:tls-validation-flags counts
 *
 * Asks whether to connect in spite of these errors. Emitted on the thread of the connection, which
 * does nothing else meanwhile.
 *
 * Returns: %TRUE to connect all the same
 */
/**
 * GstFalRealtimeFilter::encode-message:
 * @element: the element
 * @request: the inputs and the request id; to be read only
 * @image: the encoded picture
 *
 * Lets the application write a request another way; what it returns travels as one binary message.
 * Emitted on the thread that sends.
 *
 * Returns: (transfer full) (nullable): the message, or %NULL for the built-in encoding
 */
/**
 * GstFalRealtimeFilter::decode-message:
 * @element: the element
 * @message: what came
 * @text: whether it came as text
 *
 * Lets the application read a message another way. What it returns is then looked at as any result:
 * its pictures are where #GstFalRealtimeFilter:result-field says, as #GBytes, data URI or base64.
 * Emitted on the thread of the connection.
 *
 * Returns: (transfer full) (nullable): the message's fields, or %NULL for the built-in decoding
 */
/**
 * GstFalRealtimeFilter::result:
 * @element: the element
 * @result: all fields of the result but its pictures, with `request-id`, `round-trip` (ms),
 *     `image-index`, `image-count` and so on beside them; to be read only
 *
 * A result is about to leave the source pad. Emitted on that pad's streaming thread: a handler that
 * takes long delays the picture. The element message `fal-result` tells the same elsewhere.
 */
static void
install_signals (GType type)
{
  signals[REQUEST_TOKEN] = g_signal_new ("request-token", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
      NULL, G_TYPE_STRING, 1, G_TYPE_STRING);
  signals[ACCEPT_CERTIFICATE] = g_signal_new ("accept-certificate", type, G_SIGNAL_RUN_LAST, 0,
      g_signal_accumulator_true_handled, NULL, NULL, G_TYPE_BOOLEAN, 3, G_TYPE_TLS_CONNECTION,
      G_TYPE_TLS_CERTIFICATE, G_TYPE_TLS_CERTIFICATE_FLAGS);
  signals[ENCODE_MESSAGE] =
      g_signal_new ("encode-message", type, G_SIGNAL_RUN_LAST, 0, stop_at_first, NULL, NULL,
          G_TYPE_BYTES, 2, GST_TYPE_STRUCTURE | G_SIGNAL_TYPE_STATIC_SCOPE, G_TYPE_BYTES);
  signals[DECODE_MESSAGE] = g_signal_new ("decode-message", type, G_SIGNAL_RUN_LAST, 0,
      stop_at_first, NULL, NULL, GST_TYPE_STRUCTURE, 2, G_TYPE_BYTES, G_TYPE_BOOLEAN);
  signals[RESULT] = g_signal_new ("result", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
      G_TYPE_NONE, 1, GST_TYPE_STRUCTURE | G_SIGNAL_TYPE_STATIC_SCOPE);
}

/**
 * GstFalRealtimeFilter::send:
 * @element: the element
 * @parameters: (nullable): inputs of this request alone, over all others
 *
 * Sends one request with the newest frame at once, whatever
 * #GstFalRealtimeFilter:throttle-interval says. An action, for any thread.
 *
 * Returns: %FALSE where no frame came yet, the newest one has no region, or the stream has stopped
 */
/**
 * GstFalRealtimeFilter::unset:
 * @element: the element
 * @property: the name of an input of the model: "prompt", "negative-prompt", "seed",
 *     "num-inference-steps", "strength", "guidance-scale", "parameters" or "parameters-json"
 *
 * The input is not sent any more, as if it had never been set. One that a controller drives is set
 * again with the next frame. An action, for any thread.
 *
 * Returns: %FALSE where no input has this name
 */
/**
 * GstFalRealtimeFilter::reconnect:
 * @element: the element
 *
 * Ends the connection and opens a new one, with a fresh token. An action, for any thread.
 */
/**
 * GstFalRealtimeFilter::clear:
 * @element: the element
 *
 * Drops the frames and results that wait; answers to requests on their way are ignored. An action,
 * for any thread.
 */
/**
 * GstFalRealtimeFilter::close:
 * @element: the element
 *
 * Drops what waits and ends the connection; the next frame opens a new one. An action, for any
 * thread.
 */
/**
 * GstFalRealtimeFilter::reset-stats:
 * @element: the element
 *
 * Lets the counts of #GstFalRealtimeFilter:stats begin anew. An action, for any thread.
 */
void
gst_fal_signals_install (GType type, const GstFalActions *actions)
{
  const GSignalFlags flags = G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION;
  const struct {
    guint signal;
    const gchar *name;
    GCallback handler;
  } rows[] = {
    { RECONNECT, "reconnect", G_CALLBACK (actions->reconnect) },
    { CLEAR, "clear", G_CALLBACK (actions->clear) },
    { CLOSE, "close", G_CALLBACK (actions->close) },
    { RESET_STATS, "reset-stats", G_CALLBACK (actions->reset_stats) },
  };

  install_signals (type);
  signals[SEND] = g_signal_new_class_handler ("send", type, flags, G_CALLBACK (actions->send), NULL,
      NULL, NULL, G_TYPE_BOOLEAN, 1, GST_TYPE_STRUCTURE);
  signals[UNSET] = g_signal_new_class_handler ("unset", type, flags, G_CALLBACK (actions->unset),
      NULL, NULL, NULL, G_TYPE_BOOLEAN, 1, G_TYPE_STRING);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    signals[rows[i].signal] = g_signal_new_class_handler (
        rows[i].name, type, flags, rows[i].handler, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static gboolean
has_handler (GstElement *element, guint id)
{
  return g_signal_has_handler_pending (element, signals[id], 0, FALSE);
}

/* ---- tokens ---- */

gboolean
gst_fal_has_token_provider (GstElement *element)
{
  return has_handler (element, REQUEST_TOKEN);
}

typedef struct {
  GstElement *element;
  FalTokenPromise *promise;
} TokenRequest;

static void
token_request_free (TokenRequest *request)
{
  fal_token_promise_unref (request->promise);
  gst_object_unref (request->element);
  g_free (request);
}

static gpointer
ask_for_token (gpointer data)
{
  TokenRequest *request = data;
  g_autofree gchar *token = NULL;

  g_signal_emit (request->element, signals[REQUEST_TOKEN], 0,
      fal_token_promise_get_scope (request->promise), &token);
  fal_token_promise_answer (request->promise, token);
  token_request_free (request);
  return NULL;
}

void
gst_fal_request_token (GstElement *element, FalTokenPromise *promise)
{
  TokenRequest *request = g_new (TokenRequest, 1);
  GThread *thread;

  *request = (TokenRequest){
    .element = gst_object_ref (element),
    .promise = fal_token_promise_ref (promise),
  };
  thread = g_thread_try_new ("fal-provider", ask_for_token, request, NULL);
  if (thread != NULL) {
    g_thread_unref (thread);
    return;
  }
  fal_token_promise_refuse (promise);
  token_request_free (request);
}

/* ---- certificates, messages and results ---- */

gboolean
gst_fal_accept_certificate (GstElement *element, GTlsConnection *connection,
    GTlsCertificate *certificate, GTlsCertificateFlags errors)
{
  gboolean accepted = FALSE;

  g_signal_emit (
      element, signals[ACCEPT_CERTIFICATE], 0, connection, certificate, errors, &accepted);
  return accepted;
}

gboolean
gst_fal_has_encoder (GstElement *element)
{
  return has_handler (element, ENCODE_MESSAGE);
}

GBytes *
gst_fal_encode_message (GstElement *element, GstStructure *request, GBytes *image)
{
  GBytes *message = NULL;

  g_signal_emit (element, signals[ENCODE_MESSAGE], 0, request, image, &message);
  return message;
}

GstStructure *
gst_fal_decode_message (GstElement *element, GBytes *message, gboolean text)
{
  GstStructure *fields = NULL;

  if (has_handler (element, DECODE_MESSAGE))
    g_signal_emit (element, signals[DECODE_MESSAGE], 0, message, text, &fields);
  return fields;
}

gboolean
gst_fal_has_result_handler (GstElement *element)
{
  return has_handler (element, RESULT);
}

void
gst_fal_emit_result (GstElement *element, const GstStructure *result)
{
  g_signal_emit (element, signals[RESULT], 0, result);
}
