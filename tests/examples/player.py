# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the examples in Python share: their arguments, a pipeline from a camera by way of a model to
the screen, and playing it until it ends.

GStreamer in short: elements are linked to a pipeline, through which frames flow by themselves, on
threads of their own. The main thread only waits, and reads what the elements post on the pipeline's
bus: errors, warnings, the end of the stream."""
import argparse
import signal
import sys
import threading

try:
    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import GLib, Gst
except (ImportError, ValueError) as error:
    sys.exit("{0}: {1}. Install Debian's python3-gi and gir1.2-gstreamer-1.0; where another Python comes first in "
             "PATH, start this with /usr/bin/python3 {0}".format(sys.argv[0], error))


def parse_arguments(summary, more):
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("app", metavar="APP", help="such as fal-ai/fast-lcm-diffusion")
    parser.add_argument("prompt", metavar="PROMPT")
    parser.add_argument("--local", metavar="URI",
                        help="use the server at this address (ws://127.0.0.1:8090) in place of fal.ai")
    parser.add_argument("--camera", metavar="ELEMENTS", default="v4l2src",
                        help="where frames come from, as gst-launch-1.0 has it (%(default)s)")
    parser.add_argument("--screen", metavar="ELEMENTS", default="autovideosink",
                        help="where they are shown, as gst-launch-1.0 has it (%(default)s)")
    for name, options in more.items():
        parser.add_argument(name, **options)
    return parser.parse_args()


def new_pipeline(summary, **more):
    """A pipeline, its element that talks to the model, and the arguments. more: further arguments,
    --NAME={…}, as argparse has them."""
    arguments = parse_arguments(summary, {"--" + name: options for name, options in more.items()})
    Gst.init(None)
    try:
        # The frames' way, in the language of gst-launch-1.0. videoconvert turns the frames into what its
        # neighbours take; where they agree it does nothing.
        pipeline = Gst.parse_launch_full(
            "{} ! videoconvert ! falrealtimefilter name=fal ! videoconvert ! {}".format(
                arguments.camera, arguments.screen), None, Gst.ParseFlags.FATAL_ERRORS)
    except GLib.Error as error:
        sys.exit("{}: {}".format(sys.argv[0], error.message))
    fal = pipeline.get_by_name("fal")
    # The key is not named anywhere: the element takes it from the environment (FAL_KEY).
    fal.set_property("app", arguments.app)
    fal.set_property("prompt", arguments.prompt)
    if arguments.local:
        fal.set_property("base-uri", arguments.local)
        Gst.util_set_object_arg(fal, "auth", "none")
    return pipeline, fal, arguments


def watch_input(on_line):
    """Calls on_line with each line that is typed, on a thread of its own."""

    def read():
        for line in sys.stdin:
            on_line(line.strip())

    threading.Thread(target=read, daemon=True).start()


def tell(kind, message, error, debug):
    """debug: where in the source it was found out, for whoever mends it."""
    print("{} from {}: {}".format(kind, message.src.get_name(), error.message), file=sys.stderr)
    if debug:
        print("  " + debug, file=sys.stderr)


def run(pipeline):
    """Plays until the stream ends, an error ends it, or Ctrl-C does. Returns the program's exit
    status."""
    loop = GLib.MainLoop()
    failed = interrupted = False

    def on_message(_bus, message):
        nonlocal failed
        if message.type == Gst.MessageType.ERROR:
            tell("ERROR", message, *message.parse_error())
            failed = True
            loop.quit()
        elif message.type == Gst.MessageType.EOS:  # the end of the stream has come to the screen
            loop.quit()
        elif message.type == Gst.MessageType.WARNING:  # it goes on
            tell("WARNING", message, *message.parse_warning())
        elif message.type == Gst.MessageType.INFO:  # nothing is wrong yet: no key is set, or no frame comes
            tell("INFO", message, message.parse_info()[0], None)
        elif message.type == Gst.MessageType.PROGRESS:  # connecting takes a moment
            print(message.parse_progress()[2], file=sys.stderr)
        elif message.type == Gst.MessageType.LATENCY:  # an element takes longer: all are to wait
            pipeline.recalculate_latency()

    def on_interrupt(_number, _frame):
        """Ends the stream at the camera, so that what is under way still arrives and a file gets its
        end. Whoever does not want to wait for that presses Ctrl-C once more."""
        nonlocal interrupted
        if interrupted or not pipeline.send_event(Gst.Event.new_eos()):
            loop.quit()
        else:
            print("Ending when what is under way has arrived; press Ctrl-C again to end now", file=sys.stderr)
        interrupted = True

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    signal.signal(signal.SIGINT, on_interrupt)
    # Where this fails the reason comes as an error on the bus.
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    # Whatever threads and connections it has end here.
    pipeline.set_state(Gst.State.NULL)
    bus.remove_signal_watch()
    return 1 if failed else 0
