-- Run once by PostgreSQL's image, as its superuser, before it takes connections. The gateway's own user is no superuser
-- and makes no roles, so the role that row-level security needs is made here.
\set password `cat /run/secrets/database-gateway`
CREATE ROLE customer_gateway_tenant NOLOGIN;
CREATE ROLE gateway LOGIN PASSWORD :'password';
GRANT customer_gateway_tenant TO gateway;
CREATE DATABASE gateway OWNER gateway;
