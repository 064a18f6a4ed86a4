import type { Verifier } from '@sallyport/server'
import { jwks, jwt, oidc, type TokenIdentity } from '@sallyport/server/jwt'
import { algorithms, iat, keySet, provider, web } from './provider.js'

// What each provider documents of its access tokens, in November 2026, and the options of docs/identity-providers.md.

export interface Provider {
  readonly verify: Verifier<TokenIdentity>
  /** How long its access tokens live, in seconds. */
  readonly lifetime: number
  readonly header?: object
  readonly claims: Record<string, unknown>
  /** The session that a connection belongs to, and by what else a token can be revoked. */
  readonly session?: string
  /** What of it is not for us: by what is changed, and why it is refused. */
  readonly others: Record<string, readonly [changes: Record<string, unknown>, reason: string]>
}

const tid = '9188040d-6c67-4c5b-b112-36a304b66dad'
const entraIssuer = `https://login.microsoftonline.com/${tid}/v2.0`
export const keycloak = 'https://id.example.com/realms/chat'
const cognito = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI'
const okta = 'https://example.okta.com/oauth2/default'
const firebase = 'https://securetoken.google.com/chat-1234'
const project = 'https://abcdefgh.supabase.co/auth/v1'
const clerk = 'https://clerk.example.com'
export const auth0 = 'https://example.eu.auth0.com/'

export const providers: Record<string, Provider> = {
  'Auth0, in its own profile': {
    verify: oidc({
      issuer: auth0,
      algorithms,
      audience: 'https://api.example.com',
      jwks: provider(auth0, `${auth0}.well-known/jwks.json`),
    }),
    lifetime: 86_400,
    claims: {
      iss: auth0,
      sub: 'auth0|123456',
      aud: ['https://api.example.com', `${auth0}userinfo`],
      azp: 'my_client_id',
      scope: 'openid profile read:messages',
      permissions: ['read:messages'],
    },
    others: {
      'another tenant': [{ iss: 'https://other.eu.auth0.com/' }, 'token-issuer'],
      'the issuer without its slash': [{ iss: auth0.slice(0, -1) }, 'token-issuer'],
      'userinfo alone': [{ aud: `${auth0}userinfo` }, 'token-audience'],
      'an ID token': [{ aud: 'my_client_id', nonce: 'n', sid: 's' }, 'token-audience'],
    },
  },
  'Auth0, by RFC 9068': {
    verify: oidc({
      issuer: auth0,
      algorithms,
      audience: 'https://api.example.com',
      jwks: provider(auth0, `${auth0}.well-known/jwks.json`),
      typ: 'at+jwt',
    }),
    lifetime: 86_400,
    header: { typ: 'at+jwt' },
    claims: {
      iss: auth0,
      sub: 'auth0|123456',
      aud: 'https://api.example.com',
      client_id: 'my_client_id',
      jti: '73WakrfVbNJBaAmhQtEeDv',
      scope: 'read:messages',
    },
    session: '73WakrfVbNJBaAmhQtEeDv',
    others: { 'another API': [{ aud: 'https://other.example.com' }, 'token-audience'] },
  },
  Clerk: {
    verify: jwt({
      jwks: jwks(`${clerk}/.well-known/jwks.json`, { fetch: web({ [`${clerk}/.well-known/jwks.json`]: keySet }) }),
      algorithms,
      issuer: clerk,
      authorizedParties: ['https://app.example.com'],
    }),
    lifetime: 60,
    header: { typ: 'JWT', cat: 'cl_B7d4PD111AAA' },
    claims: {
      iss: clerk,
      sub: 'user_2V8',
      sid: 'sess_2V9',
      azp: 'https://app.example.com',
      nbf: iat - 10,
      fva: [7, -1],
      sts: 'active',
      v: 2,
    },
    session: 'sess_2V9',
    others: {
      'another instance': [{ iss: 'https://clerk.other.example.com' }, 'token-issuer'],
      'the page of somebody else': [{ azp: 'https://evil.example.com' }, 'token-audience'],
      'no page, as in a native application': [{ azp: undefined }, 'token-audience'],
    },
  },
  Keycloak: {
    verify: oidc({
      issuer: keycloak,
      algorithms,
      authorizedParties: 'chat-app',
      jwks: provider(keycloak, `${keycloak}/protocol/openid-connect/certs`),
    }),
    lifetime: 300,
    claims: {
      iss: keycloak,
      sub: 'f:1:ada',
      sid: 'b6f0-1',
      aud: 'account',
      azp: 'chat-app',
      typ: 'Bearer',
      jti: 'onrtac:1234',
      acr: '1',
      realm_access: { roles: ['offline_access'] },
      scope: 'openid email',
      preferred_username: 'ada',
    },
    session: 'b6f0-1',
    others: {
      'another realm': [{ iss: 'https://id.example.com/realms/master' }, 'token-issuer'],
      'another client': [{ azp: 'other-app' }, 'token-audience'],
      'an ID token': [{ typ: 'ID', aud: 'chat-app' }, 'token-type'],
      'a refresh token': [{ typ: 'Refresh', aud: keycloak }, 'token-type'],
    },
  },
  'Amazon Cognito': {
    verify: oidc({
      issuer: cognito,
      algorithms,
      authorizedParties: '7abc',
      sessionClaim: 'origin_jti',
      jwks: provider(cognito, `${cognito}/.well-known/jwks.json`),
    }),
    lifetime: 3600,
    claims: {
      iss: cognito,
      sub: 'aaaaaaaa-bbbb',
      client_id: '7abc',
      origin_jti: 'origin-1',
      jti: 'token-1',
      event_id: 'event-1',
      token_use: 'access',
      scope: 'openid',
      auth_time: iat,
      username: 'ada',
      'cognito:groups': ['writers'],
    },
    session: 'origin-1',
    others: {
      'another pool': [{ iss: `${cognito}X` }, 'token-issuer'],
      'another client': [{ client_id: 'other' }, 'token-audience'],
      'an ID token': [{ client_id: undefined, aud: '7abc', token_use: 'id' }, 'token-audience'],
      'an ID token that names a client': [{ token_use: 'id' }, 'token-type'],
    },
  },
  'Microsoft Entra ID, of one tenant': {
    verify: oidc({
      issuer: entraIssuer,
      algorithms,
      audience: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
      jwks: provider(entraIssuer, `https://login.microsoftonline.com/${tid}/discovery/v2.0/keys`),
      identify: ({ oid, iss = '', ...claims }) =>
        typeof oid === 'string' ? { id: oid, issuer: iss, claims: { iss, ...claims }, scopes: [] } : undefined,
    }),
    lifetime: 4_500,
    claims: {
      iss: entraIssuer,
      aud: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
      azp: 'client-1',
      azpacr: '1',
      oid: '690222be-ff1a',
      sub: 'pairwise-1',
      sid: 'session-1',
      tid,
      uti: 'uti-1',
      ver: '2.0',
      scp: 'access_as_user',
      nbf: iat,
    },
    session: 'session-1',
    others: {
      'another tenant': [{ iss: entraIssuer.replace('9188040d', '00000000') }, 'token-issuer'],
      'version 1': [{ iss: `https://sts.windows.net/${tid}/`, ver: '1.0' }, 'token-issuer'],
      'Microsoft Graph': [{ aud: '00000003-0000-0000-c000-000000000000' }, 'token-audience'],
      nobody: [{ oid: undefined }, 'credential-unknown'],
    },
  },
  'Microsoft Entra ID, of many tenants': {
    verify: jwt({
      jwks: jwks('https://login.microsoftonline.com/common/discovery/v2.0/keys', {
        fetch: web({ 'https://login.microsoftonline.com/common/discovery/v2.0/keys': keySet }),
      }),
      algorithms,
      issuer: (issuer) => issuer === entraIssuer,
      audience: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
    }),
    lifetime: 4_500,
    claims: { iss: entraIssuer, aud: '6e74172b-be56-4843-9ff4-e66a39bb12e3', sub: 'pairwise-1', tid, ver: '2.0' },
    others: {
      'a stranger’s tenant': [{ iss: entraIssuer.replace('9188040d', '00000000') }, 'token-issuer'],
    },
  },
  Okta: {
    verify: oidc({
      issuer: okta,
      algorithms,
      audience: 'api://default',
      jwks: provider(okta, `${okta}/v1/keys`),
      identify: ({ uid, iss = '', ...claims }) =>
        typeof uid === 'string' ? { id: uid, issuer: iss, claims: { iss, ...claims }, scopes: [] } : undefined,
    }),
    lifetime: 3600,
    header: { typ: undefined },
    claims: {
      ver: 1,
      iss: okta,
      aud: 'api://default',
      sub: 'ada@example.com',
      uid: '00u1',
      cid: '0oa1',
      jti: 'AT.0mP4',
      scp: ['openid', 'read'],
      auth_time: iat,
    },
    session: 'AT.0mP4',
    others: {
      'the org’s own server': [{ iss: 'https://example.okta.com', aud: 'https://example.okta.com' }, 'token-issuer'],
      'another audience': [{ aud: 'api://other' }, 'token-audience'],
      'an ID token': [{ aud: '0oa1', nonce: 'n' }, 'token-audience'],
      'no user, as of a service': [{ uid: undefined, sub: '0oa1' }, 'credential-unknown'],
    },
  },
  Firebase: {
    verify: oidc({
      issuer: firebase,
      algorithms,
      audience: 'chat-1234',
      jwks: provider(
        firebase,
        'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
      ),
    }),
    lifetime: 3600,
    claims: {
      iss: firebase,
      aud: 'chat-1234',
      auth_time: iat,
      user_id: 'ada',
      sub: 'ada',
      email: 'ada@example.com',
      firebase: { identities: {}, sign_in_provider: 'password' },
    },
    others: {
      'another project': [{ iss: 'https://securetoken.google.com/other', aud: 'other' }, 'token-issuer'],
      'the audience of another project': [{ aud: 'other' }, 'token-audience'],
      'a session cookie': [{ iss: 'https://session.firebase.google.com/chat-1234' }, 'token-issuer'],
    },
  },
  Supabase: {
    verify: jwt({
      jwks: jwks(`${project}/.well-known/jwks.json`, { fetch: web({ [`${project}/.well-known/jwks.json`]: keySet }) }),
      algorithms,
      issuer: project,
      audience: 'authenticated',
      sessionClaim: 'session_id',
    }),
    lifetime: 3600,
    claims: {
      iss: project,
      aud: 'authenticated',
      sub: 'ada',
      role: 'authenticated',
      aal: 'aal1',
      session_id: 'session-1',
      is_anonymous: false,
      amr: [{ method: 'password', timestamp: iat }],
    },
    session: 'session-1',
    others: {
      'another project': [{ iss: 'https://other.supabase.co/auth/v1' }, 'token-issuer'],
      'the anonymous key': [{ iss: 'supabase', aud: undefined, role: 'anon' }, 'token-issuer'],
    },
  },
}
