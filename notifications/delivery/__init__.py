"""Getting deliveries out: outbox (the SQL), engine (loop, threads), http (the one client), policy (pure), tasks."""
