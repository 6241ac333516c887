-- The ids of a bank's customers whose search_key is like every pattern, newest first, at most so many, by the index "customer_search". LIKE is not leakproof, so
-- from outside a policy it enters no index: under row-level security a search would read a bank's names one by one. In here, as the
-- tables' owner, it does; what the requests' role may ask is held to the policy's own bank and mode. It gives ids alone: rows are read under the policy.
CREATE FUNCTION "customer_search"(bank text, of_mode "mode", patterns text[], most integer) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  likes text;
BEGIN
  IF current_setting('role') = 'customer_gateway_tenant'
    AND (bank, of_mode::text) IS DISTINCT FROM (current_setting('gateway.bank', true), current_setting('gateway.mode', true)) THEN
    RETURN;
  END IF;
  SELECT string_agg(format('search_key LIKE $3[%s]', at), ' AND ') INTO likes FROM generate_subscripts(patterns, 1) AS at;
  -- Planned anew for each, since a rare word and a frequent one want different plans.
  RETURN QUERY EXECUTE 'SELECT id FROM customer WHERE bank_id = $1 AND mode = $2 AND ' || coalesce(likes, 'true') || ' ORDER BY created_at DESC, id DESC LIMIT $4'
    USING bank, of_mode, patterns, most;
END $$;
REVOKE ALL ON FUNCTION "customer_search" FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "customer_search" TO customer_gateway_tenant;
