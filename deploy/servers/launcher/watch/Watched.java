import java.io.IOException;
import java.util.Arrays;

/**
 * Runs the main class named first, and ends it when the parent process is gone.
 *
 * The parent holds the other end of our standard input and never writes. However it ends, kill -9
 * included, the kernel closes that end, read() returns -1, and we shut down as on SIGTERM.
 */
public final class Watched {
    /** After this the process is halted, whatever its shutdown hooks still do. */
    private static final long STOP_MILLIS = 20_000;

    public static void main(String[] arguments) throws Throwable {
        Thread watch = new Thread(Watched::endWithParent, "watch-parent");
        watch.setDaemon(true);
        watch.start();
        String[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
        try {
            Class.forName(arguments[0]).getMethod("main", String[].class).invoke(null, (Object) rest);
        } catch (java.lang.reflect.InvocationTargetException wrapped) {
            // Threads of a half-started server would keep the process alive.
            wrapped.getCause().printStackTrace();
            System.exit(1);
        }
    }

    private static void endWithParent() {
        try {
            while (System.in.read() != -1) {
                // Nobody writes; a byte means nothing.
            }
        } catch (IOException closed) {
            // As good as the end of the file.
        }
        Thread halt = new Thread(() -> {
            try {
                Thread.sleep(STOP_MILLIS);
            } catch (InterruptedException never) {
                // Nobody interrupts it; halting at once is right all the same.
            }
            Runtime.getRuntime().halt(1);
        }, "halt");
        halt.setDaemon(true);
        halt.start();
        System.exit(0);
    }
}
