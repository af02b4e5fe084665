"""The Kibana dashboards: described in ``dashboards``, written as saved objects, installed."""
