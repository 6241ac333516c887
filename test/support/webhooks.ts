import type { TestGateway } from "./gateway.ts";

const ENDPOINT = "id url events visibility enabled disabledReason oldSecretUntil failures";
const ISSUED = `__typename ... on WebhookEndpointIssued { secret endpoint { ${ENDPOINT} } } ... on Error { code message } ... on InvalidWebhookEndpoint { issues { field message } }`;
const CHANGED = `__typename ... on WebhookEndpoint { ${ENDPOINT} } ... on Error { code message } ... on InvalidWebhookEndpoint { issues { field message } }`;

/** What a key does with webhooks. */
export function webhooksOf(gateway: TestGateway, key: string) {
  const ask = async (document: string, input: object) => {
    const { body } = await gateway.query(key, document, { input });
    if (body.errors) throw new Error(JSON.stringify(body.errors));
    return body.data.result;
  };
  return {
    create: (input: object) =>
      ask(`mutation ($input: CreateWebhookEndpointInput!) { result: createWebhookEndpoint(input: $input) { ${ISSUED} } }`, input),
    update: (input: object) =>
      ask(`mutation ($input: UpdateWebhookEndpointInput!) { result: updateWebhookEndpoint(input: $input) { ${CHANGED} } }`, input),
    rotate: (input: object) =>
      ask(`mutation ($input: RotateWebhookSecretInput!) { result: rotateWebhookSecret(input: $input) { ${ISSUED} } }`, input),
    remove: (id: string) =>
      ask(
        "mutation ($input: DeleteWebhookEndpointInput!) { result: deleteWebhookEndpoint(input: $input) { __typename ... on WebhookEndpointDeleted { id } ... on Error { code } } }",
        { id },
      ),
    replay: (input: object) =>
      ask(
        "mutation ($input: ReplayWebhooksInput!) { result: replayWebhooks(input: $input) { __typename ... on WebhooksReplayed { count } ... on Error { code } ... on InvalidWebhookEndpoint { issues { field message } } } }",
        input,
      ),
    test: (id: string) =>
      ask(
        "mutation ($input: SendWebhookTestInput!) { result: sendWebhookTest(input: $input) { __typename ... on WebhookDelivery { id type state } ... on Error { code } } }",
        { id },
      ),
    async list() {
      const { body } = await gateway.query(key, `{ webhookEndpoints { nodes { ${ENDPOINT} } } }`);
      return body.data.webhookEndpoints.nodes;
    },
    async deliveries(endpointId: string, states?: string[]) {
      const { body } = await gateway.query(
        key,
        "query ($id: ID!, $states: [WebhookDeliveryState!]) { webhookDeliveries(endpointId: $id, states: $states, first: 100) { nodes { id type sequence state attempts outcome dueAt triedAt } } }",
        { id: endpointId, states },
      );
      return body.data.webhookDeliveries.nodes;
    },
  };
}
