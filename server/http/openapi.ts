/**
 * The OpenAPI 3.1 description, made from the table of routes. `node server/http/openapi.ts` writes
 * docs/openapi.json; `openapi.test.ts` fails when that is not current.
 */
import { writeFileSync } from "node:fs";
import { z } from "zod";
import { ConsoleChange } from "../../protocol/admin/console.ts";
import { ErrorReport } from "../../protocol/errors/error.ts";
import { SESSION_COOKIE } from "./consoleSession.ts";
import { ROUTES, type Route } from "./routes.ts";

type Json = Record<string, unknown>;

const schemaOf = (schema: z.ZodType, io: "input" | "output"): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: "draft-2020-12" });
  return rest;
};

export function openApi(): Json {
  const paths: Record<string, Json> = {};
  for (const [operationId, route] of Object.entries(ROUTES)) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(operationId, route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Upbeat update server",
      version: "1",
      description:
        "Signed metadata, targets and content are plain files below /metadata, /targets and /content and need no token.",
    },
    paths: {
      ...paths,
      "/api/v1/content/{sha256}": contentPaths(),
      "/api/v1/changes": changesPath(),
    },
    components: {
      securitySchemes: {
        admin: {
          type: "http",
          scheme: "bearer",
          description: "The administration token that the first start prints",
        },
        session: {
          type: "apiKey",
          in: "cookie",
          name: SESSION_COOKIE,
          description: "Set by `signIn`; with https its name begins with `__Host-`",
        },
        device: {
          type: "apiKey",
          in: "header",
          name: "Signature",
          description: "RFC 9421 in the fixed profile of protocol/requestSignature.ts",
        },
      },
      schemas: { ErrorReport: schemaOf(ErrorReport, "output") },
    },
  };
}

function operation(operationId: string, route: Route<unknown, unknown, unknown>): Json {
  const { properties } = schemaOf(route.params, "input");
  const parameters = Object.entries(properties ?? {}).map(([name, schema]) => {
    const isOfPath = route.path.split("/").includes(`:${name}`);
    return { name, in: isOfPath ? "path" : "query", required: isOfPath, schema };
  });
  return {
    operationId,
    summary: route.summary,
    ...secured(route.auth),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.method === "POST" ? { requestBody: bodyOf(schemaOf(route.body, "input")) } : {}),
    responses: {
      "200": { description: "Done", content: asJson(schemaOf(route.answer, "output")) },
      default: FAILED,
    },
  };
}

const secured = (auth: string): Json => ({
  security: auth === "none" ? [] : [{ [auth]: [] }, ...(auth === "admin" ? [{ session: [] }] : [])],
});
const asJson = (schema: Json): Json => ({ "application/json": { schema } });
const bodyOf = (schema: Json): Json => ({ required: true, content: asJson(schema) });
const FAILED: Json = {
  description: "Refused or failed",
  content: asJson({ $ref: "#/components/schemas/ErrorReport" }),
};

/** Bytes, not JSON, so they are not in the table. */
function contentPaths(): Json {
  const sha256 = { type: "string", pattern: "^[0-9a-f]{64}$" };
  const parameters = [{ name: "sha256", in: "path", required: true, schema: sha256 }];
  return {
    head: {
      operationId: "hasContent",
      summary: "Whether the server has these bytes",
      ...secured("admin"),
      parameters,
      responses: { "200": { description: "It has" }, "404": { description: "It has not" } },
    },
    put: {
      operationId: "putContent",
      summary: "Upload one file under its own SHA-256",
      ...secured("admin"),
      parameters,
      requestBody: { required: true, content: { "application/octet-stream": {} } },
      responses: {
        "200": { description: "It was there already" },
        "201": { description: "It is new" },
        default: FAILED,
      },
    },
  };
}

/** A stream, not one answer. */
const changesPath = (): Json => ({
  get: {
    operationId: "changes",
    summary: "What has changed, as server-sent events of ConsoleChange: fetch it again",
    ...secured("admin"),
    responses: {
      "200": {
        description: "A stream that does not end",
        content: { "text/event-stream": { schema: schemaOf(ConsoleChange, "output") } },
      },
      default: FAILED,
    },
  },
});

export const openApiText = (): string => `${JSON.stringify(openApi(), null, 2)}\n`;

if (import.meta.main) {
  writeFileSync(new URL("../../docs/openapi.json", import.meta.url), openApiText());
}
