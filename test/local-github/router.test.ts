import { expect, it } from 'vitest';
import { createRouter } from '../../local-github/router.ts';
import { plain } from '../../local-github/routes.ts';

function routerOf(...requests: readonly string[]) {
  return createRouter(requests.map((request) => plain(request, request, 'any', () => ({ status: 200 }))));
}

it('prefers literal segments, and decodes what is between slashes', () => {
  const router = routerOf('GET /issues/{number}/labels', 'GET /issues/comments/{id}', 'GET /users/{username}');
  expect(router.find('GET', '/issues/comments/7')?.route.path).toBe('/issues/comments/{id}');
  expect(router.find('GET', '/users/maestro%5Bbot%5D')?.params).toEqual({ username: 'maestro[bot]' });
  expect(router.find('POST', '/issues/1/labels')).toBeUndefined();
  expect(router.find('GET', '/issues/1/labels/x')).toBeUndefined();
});

it('takes the rest of a path, slashes written either way', () => {
  const router = routerOf('GET /contents/{path+}', 'GET /ref/{ref+}');
  expect(router.find('GET', '/contents/.github%2Fmaestro.yml')?.params).toEqual({ path: '.github/maestro.yml' });
  expect(router.find('GET', '/contents/a/b%20c')?.params).toEqual({ path: 'a/b c' });
  expect(router.find('GET', '/contents/')?.params).toEqual({ path: '' });
  expect(router.find('GET', '/ref/heads/maestro/x')?.params).toEqual({ ref: 'heads/maestro/x' });
});

it('leaves alone what is no percent code', () => {
  expect(routerOf('GET /labels/{name}').find('GET', '/labels/100%')?.params).toEqual({ name: '100%' });
});
