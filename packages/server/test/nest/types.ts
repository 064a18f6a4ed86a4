import type { INestApplication } from '@nestjs/common'
import { MessageBody, SubscribeMessage } from '@nestjs/websockets'
import { createGuard, type Guard, header, type Identity } from '@sallyport/server'
import { CurrentIdentity, connectionOf, GuardedWsAdapter } from '@sallyport/server/nest'
import type { WebSocket } from 'ws'
import { type Equals, expectTrue } from '../../test-d/types.js'

interface User extends Identity {
  readonly plan: string
}

declare const app: INestApplication
declare const user: User
declare const client: WebSocket

const guard: Guard<User> = createGuard({ accept: [header({ verify: () => ({ identity: user }) })] })

declare module '@sallyport/server/nest' {
  interface NestGuard {
    guard: typeof guard
  }
}

app.useWebSocketAdapter(
  new GuardedWsAdapter(app, guard, {
    admit: ({ plan }, { params }) => params.room === plan,
    authorize: ({ identity }, [data]) => identity.plan === String(data),
    messageParser: (data) => ({ event: 'say', data }),
  }),
)
// @ts-expect-error the gateways say which paths
new GuardedWsAdapter(app, guard, { path: '/ws' })

expectTrue<Equals<ReturnType<typeof connectionOf<User>>['identity'], User>>()
const plan: string = connectionOf(guard, client).identity.plan
plan.length

export class Gateway {
  @SubscribeMessage('say')
  say(@MessageBody() text: string, @CurrentIdentity() user: User) {
    return text + user.plan
  }

  @SubscribeMessage('less')
  less(@CurrentIdentity() { id }: Identity) {
    return id
  }

  @SubscribeMessage('wrong')
  // @ts-expect-error the identity of the guard is no number
  wrong(@CurrentIdentity() user: number) {
    return user
  }

  @SubscribeMessage('more')
  // @ts-expect-error the identity of the guard has no role
  more(@CurrentIdentity() user: User & { role: string }) {
    return user.role
  }
}
