import { CountryCodeResolver, DateTimeResolver, EmailAddressResolver, JSONObjectResolver, URLResolver } from "graphql-scalars";
import { builder } from "./builder.ts";

// graphql-scalars' own, renamed nowhere: clients find their documentation under the same names.
builder.addScalarType("DateTime", DateTimeResolver);
builder.addScalarType("EmailAddress", EmailAddressResolver);
builder.addScalarType("URL", URLResolver);
builder.addScalarType("CountryCode", CountryCodeResolver);
builder.addScalarType("JSONObject", JSONObjectResolver);
