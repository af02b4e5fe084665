package org.elasticsearch.plugins;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.Build;
import org.elasticsearch.action.admin.cluster.node.info.PluginsAndModules;
import org.elasticsearch.env.Environment;

/** Plugins that lie on the class path, instead of in a folder of modules. */
public final class ClassPathPlugins extends PluginsService {
    private final List<LoadedPlugin> loaded;

    public ClassPathPlugins(Environment environment, List<Class<? extends Plugin>> classes) {
        super(environment.settings(), environment.configDir(), new PluginsLoader(Set.of(), Set.of(), Map.of()));
        loaded = classes.stream().map(one -> load(one, environment)).toList();
    }

    private LoadedPlugin load(Class<? extends Plugin> type, Environment environment) {
        PluginDescriptor descriptor = new PluginDescriptor(
            type.getName(), "from the class path", "NA", Build.current().version(),
            Integer.toString(Runtime.version().feature()), type.getName(), null, List.of(),
            false, false, false, false, null);
        Plugin plugin = loadPlugin(type, environment.settings(), environment.configDir());
        return new LoadedPlugin(descriptor, plugin, type.getClassLoader());
    }

    /** None yet while the constructor of the superclass asks. */
    @Override
    protected List<LoadedPlugin> plugins() {
        return loaded == null ? List.of() : loaded;
    }

    @Override
    public PluginsAndModules info() {
        List<PluginRuntimeInfo> infos =
            plugins().stream().map(LoadedPlugin::descriptor).map(PluginRuntimeInfo::new).toList();
        return new PluginsAndModules(infos, List.of());
    }
}
