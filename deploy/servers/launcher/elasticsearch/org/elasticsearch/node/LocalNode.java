package org.elasticsearch.node;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.plugins.ClassPathPlugins;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.plugins.PluginsService;
import org.elasticsearch.transport.netty4.Netty4Plugin;
import wirewatch.RootRoute;

/**
 * Starts a Node in the working directory: {@code LocalNode key=value ...}
 *
 * Elasticsearch's own start script and modules are not on Maven Central. In this package because
 * the constructor of Node is not public. No bootstrap checks, no security: loopback only.
 */
public final class LocalNode {
    /** Within the time the parent gives a stop. */
    private static final long CLOSE_SECONDS = 15;

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of("").toAbsolutePath();
        Path config = Files.createDirectories(home.resolve("config"));
        Settings.Builder settings = Settings.builder().put("path.home", home.toString());
        for (String argument : arguments) {
            String[] pair = argument.split("=", 2);
            settings.put(pair[0], pair[1]);
        }

        LogConfigurator.registerErrorListener();
        LogConfigurator.configureESLogging();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(
            settings.build(), Map.of(), config, () -> "local");
        LogConfigurator.configure(environment, true);

        Node node = new Node(NodeConstruction.prepareConstruction(environment, null, new FromClassPath(), true));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node), "close-node"));
        node.start();
        new CountDownLatch(1).await();
    }

    private static void close(Node node) {
        try {
            node.prepareForClose();
            node.close();
            node.awaitClose(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (Exception error) {
            error.printStackTrace();
        }
    }

    private static final class FromClassPath extends NodeServiceProvider {
        @Override
        PluginsService newPluginService(Environment environment, PluginsLoader ignored) {
            return new ClassPathPlugins(environment, List.of(Netty4Plugin.class, RootRoute.class));
        }
    }
}
