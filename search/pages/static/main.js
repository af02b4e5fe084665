// Wirewatch: what the pages do beyond what the server sends.
